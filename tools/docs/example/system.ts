import { adminer, generated, ingress, postgres, secret, service, system } from "dhow";

export default system("shop", (environment) => {
  const secrets = secret("shop-secrets", { DB_USER: "shop", DB_PASSWORD: generated(32) });
  const database = postgres("postgres", { user: secrets.DB_USER, password: secrets.DB_PASSWORD, storage: "1Gi" });
  const orders = service("orders", { source: "orders", port: 5001, env: { DATABASE_URL: database.url } });
  const web = service("web", {
    source: "web",
    port: 5000,
    replicas: environment.production ? 4 : 2,
    env: { ORDERS_URL: orders.url },
  });

  return [
    ingress("shop", { host: environment.host, routes: { "/": web } }),
    adminer("adminer", { database, nodePort: 30080 }),
  ];
});
