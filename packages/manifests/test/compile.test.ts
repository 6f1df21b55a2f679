import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Deployment, KubeObject, NetworkPolicy, PersistentVolumeClaim, ResourceQuota, Secret } from "@dhow/kube";
import { compile, sourceImages } from "@dhow/manifests";
import {
  adminer,
  describeSystem,
  generated,
  ingress,
  optional,
  peer,
  postgres,
  type Resources,
  secret,
  service,
  system,
} from "@dhow/model";
import { golden } from "@dhow/testkit";

const shop = system(
  "shop",
  (environment) => {
    const secrets = secret("shop-secrets", { USER: "shop", PASSWORD: generated(32), NEXT: optional() });
    const database = postgres("postgres", { user: secrets.USER, password: secrets.PASSWORD, storage: "1Gi" });
    const data = service("data", {
      source: "data",
      port: 5003,
      env: { DATABASE_URL: database.url, DATABASE_HOST: database.host },
    });
    const web = service("web", {
      source: "web",
      port: 8000,
      replicas: environment.production ? 4 : 2,
      env: { DATA_URL: data.url, MAIL_URL: peer("mail").url, NEXT: secrets.NEXT },
    });
    const mail = service("mail", {
      image: "example.com/mail:1.2.3",
      port: 25,
      replicas: 1,
      internet: true,
      env: { WEB_URL: web.url },
    });
    return [
      ingress("shop", { host: environment.host, routes: { "/": web } }),
      mail,
      adminer("adminer", { database, nodePort: 30080 }),
    ];
  },
  {
    environments: {
      staging: {},
      production: { host: "shop.example.com", registry: "registry.example.com/team", storageClass: "fast" },
    },
  },
);

const objectsFor = (environment: string) => compile(describeSystem(shop, environment, "1.4.0"));

function find<T extends KubeObject>(objects: readonly KubeObject[], kind: T["kind"], name: string): T {
  const isIt = (object: KubeObject): object is T => object.kind === kind && object.metadata.name === name;
  const found = objects.find(isIt);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

for (const environment of ["development", "production"]) {
  test(`the objects of ${environment} are those that are committed`, () => {
    const text = `${JSON.stringify(objectsFor(environment), null, 2)}\n`;
    golden(join(import.meta.dirname, `shop.${environment}.json`), text);
  });
}

test("compiling is pure: the same description gives the same objects", () => {
  assert.deepEqual(objectsFor("staging"), objectsFor("staging"));
});

test("no generated secret is in any object, and a password reaches a pod by reference only", () => {
  const text = JSON.stringify(objectsFor("production"));
  assert.match(text, /postgres:\/\/\$\(DATABASE_URL_USER\):\$\(DATABASE_URL_PASSWORD\)@postgres:5432\/shop/);
  const { metadata, stringData } = find<Secret>(objectsFor("production"), "Secret", "shop-secrets");
  assert.deepEqual(stringData, { USER: "shop" });
  assert.equal(metadata.annotations?.["dhow.dev/generated"], "PASSWORD=32");
});

test("the network follows the call graph: only who has an address in its env may call", () => {
  const from = (name: string) =>
    find<NetworkPolicy>(objectsFor("development"), "NetworkPolicy", name).spec?.ingress?.flatMap(
      (rule) => rule.from?.map((peer) => peer.podSelector?.matchLabels?.["app"]) ?? ["everybody"],
    );
  assert.deepEqual(from("postgres"), ["data", "adminer"]);
  assert.deepEqual(from("data"), ["web"]);
  assert.deepEqual(from("web"), ["everybody"]);
  assert.deepEqual(from("mail"), ["web"]);
});

test("probes are immediate in development, and as late as asked for elsewhere", () => {
  const probe = (environment: string) =>
    find<Deployment>(objectsFor(environment), "Deployment", "web").spec?.template.spec?.containers[0]?.livenessProbe;
  assert.deepEqual([probe("development")?.initialDelaySeconds, probe("development")?.periodSeconds], [0, 1]);
  assert.deepEqual([probe("staging")?.initialDelaySeconds, probe("staging")?.periodSeconds], [10, 5]);
});

test("registry, version and storage class are the environment's", () => {
  const production = objectsFor("production");
  const image = (objects: readonly KubeObject[], name: string) =>
    find<Deployment>(objects, "Deployment", name).spec?.template.spec?.containers[0]?.image;
  assert.equal(image(production, "web"), "registry.example.com/team/shop/web:1.4.0");
  assert.equal(image(objectsFor("development"), "web"), "shop/web:1.4.0");
  assert.equal(image(production, "mail"), "example.com/mail:1.2.3");
  assert.equal(
    find<PersistentVolumeClaim>(production, "PersistentVolumeClaim", "postgres-pvc").spec?.storageClassName,
    "fast",
  );
});

test("the quota leaves three times what is declared", () => {
  const hard = find<ResourceQuota>(objectsFor("production"), "ResourceQuota", "shop").spec?.hard;
  // web 4, data 2, mail 1, postgres 1, adminer 1: nine pods of 100m and 128Mi.
  assert.deepEqual([hard?.["pods"], hard?.["requests.cpu"], hard?.["requests.memory"]], ["27", "2700m", "3456Mi"]);
});

test("adjust has the last word on the objects of its value", () => {
  const adjusted = system("shop", () => [
    service("web", {
      source: "web",
      port: 80,
      adjust: (objects) => objects.filter((object) => object.kind !== "PodDisruptionBudget"),
    }),
  ]);
  const kinds = compile(describeSystem(adjusted, "development", "1")).map((object) => object.kind);
  assert.ok(kinds.includes("Deployment") && !kinds.includes("PodDisruptionBudget"));
});

test("images that are built from source are told with their folders", () => {
  const images = sourceImages(describeSystem(shop, "development", "1.4.0")).map(
    ({ reference, source }) => `${reference} ${source}`,
  );
  assert.deepEqual(images.sort(), ["shop/data:1.4.0 data", "shop/web:1.4.0 web"]);
});

test("a default never puts a request above its limit", () => {
  const resourcesWith = (resources: Resources) => {
    const described = system("shop", () => [service("web", { source: "web", port: 80, resources })]);
    const objects = compile(describeSystem(described, "development", "1"));
    return find<Deployment>(objects, "Deployment", "web").spec?.template.spec?.containers[0]?.resources;
  };
  assert.equal(resourcesWith({ limits: { memory: "96Mi" } })?.requests?.["memory"], "96Mi");
  assert.equal(resourcesWith({ requests: { memory: "1Gi" } })?.limits?.["memory"], "1Gi");
  assert.deepEqual(resourcesWith({ limits: { cpu: "1" } })?.requests, { cpu: "100m", memory: "128Mi" });
});
