import { adminer, generated, ingress, optional, postgres, secret, service, system } from "dhow";

const resources = { requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "500m", memory: "512Mi" } };

export default system(
  "bookmeup",
  (environment) => {
    const secrets = secret("bookmeup-secrets", {
      POSTGRES_USER: "bookmeup",
      POSTGRES_PASSWORD: generated(32),
      JWT_SECRET_KEY: generated(64),
      // There while one of them is being changed: see README.md.
      POSTGRES_OTHER_PASSWORD: optional(),
      JWT_OTHER_SECRET_KEY: optional(),
    });
    const database = postgres("postgres", {
      user: secrets.POSTGRES_USER,
      password: secrets.POSTGRES_PASSWORD,
      storage: "1Gi",
      resources,
    });
    const db = service("db-service", {
      source: "db-service",
      port: 5003,
      ready: "/ready",
      replicas: 2,
      resources,
      env: { DATABASE_URL: database.url, DATABASE_OTHER_PASSWORD: secrets.POSTGRES_OTHER_PASSWORD },
    });
    const common = { DB_SERVICE_URL: db.url, JWT_SECRET_KEY: secrets.JWT_SECRET_KEY };
    const auth = service("auth-service", { source: "auth-service", port: 5001, replicas: 2, resources, env: common });
    const logic = service("logic-service", {
      source: "logic-service",
      port: 5002,
      replicas: 2,
      resources,
      env: { ...common, JWT_OTHER_SECRET_KEY: secrets.JWT_OTHER_SECRET_KEY },
    });

    return [
      ingress("bookmeup", {
        host: environment.host,
        routes: { "/auth": auth, "/services": logic, "/profile": logic, "/": logic },
        tls: environment.production ? { secret: "bookmeup-tls", issuer: "letsencrypt-prod" } : undefined,
      }),
      adminer("adminer", { database, nodePort: environment.development ? 30080 : undefined }),
    ];
  },
  { environments: { production: { host: "bookmeup.example.com" }, staging: { host: "staging.bookmeup.example.com" } } },
);
