import assert from "node:assert/strict";
import { test } from "node:test";
import {
  adminer,
  describeSystem,
  generated,
  ingress,
  ModelError,
  peer,
  postgres,
  secret,
  service,
  system,
  type Value,
} from "@dhow/model";

const here = import.meta.filename;

/** What a wrong description throws, with its place checked to be in this file. */
function fault(make: () => unknown): { code: string; message: string; instead: string | undefined } {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof ModelError, String(error));
    assert.equal(error.place?.file, here);
    assert.ok((error.place.line ?? 0) > 1);
    return { code: error.code, message: error.message, instead: error.instead };
  }
  return assert.fail("accepted");
}

const build = (...values: Value[]) =>
  describeSystem(
    system("shop", () => values),
    "development",
    "1.0.0",
  );

test("what is built is frozen and holds whatever is referred to, callees first", () => {
  const secrets = secret("s", { USER: "u", PASSWORD: generated(32) });
  const database = postgres("postgres", { user: secrets.USER, password: secrets.PASSWORD, storage: "1Gi" });
  const api = service("api", { source: "api", port: 80, env: { DATABASE_URL: database.url } });
  const shop = build(ingress("entry", { routes: { "/": api } }), adminer("adminer", { database }));
  assert.deepEqual(
    shop.values.map((value) => value.name),
    ["s", "postgres", "api", "entry", "adminer"],
  );
  assert.ok(shop.values.every(Object.isFrozen));
  assert.equal(shop.environment.namespace, "shop");
});

test("an environment is an argument: its namespace, host and version come from the system's options or have defaults", () => {
  const definition = system(
    "shop",
    (environment) => [service("api", { source: "a", port: 80, replicas: environment.production ? 4 : 2 })],
    {
      environments: { production: { host: "shop.example.com" }, staging: {} },
    },
  );
  const replicas = (name: string) =>
    describeSystem(definition, name, "1.0.0").values.map((value) => value.kind === "service" && value.options.replicas);
  assert.deepEqual(replicas("production"), [4]);
  assert.deepEqual(replicas("staging"), [2]);
  const { environment } = describeSystem(definition, "production", "1.0.0");
  assert.deepEqual([environment.namespace, environment.host], ["shop-prod", "shop.example.com"]);
  assert.equal(describeSystem(definition, "staging", "1.0.0").environment.namespace, "shop-staging");
});

test("an environment that a system does not have is refused with those that it has", () => {
  const of = (environments: Record<string, object>, name: string) =>
    describeSystem(
      system("shop", () => [], { environments }),
      name,
      "1.0.0",
    );
  const found = fault(() => of({ staging: {}, qa: {} }, "production"));
  assert.equal(found.code, "MODEL_UNKNOWN_ENVIRONMENT");
  assert.equal(found.message, 'system("shop") has no environment "production"');
  assert.match(found.instead ?? "", /^development, staging, or qa; /);
  assert.equal(of({ qa: {} }, "development").environment.namespace, "shop");
  // One that lists none has those that everybody has. `prod` would get the namespace of production, and none of its differences.
  for (const name of ["development", "staging", "production"]) assert.equal(of({}, name).environment.name, name);
  assert.match(fault(() => of({}, "prod")).instead ?? "", /^development, staging, or production; /);
  assert.equal(fault(() => of({}, "toString")).code, "MODEL_UNKNOWN_ENVIRONMENT");
});

test("an unknown field is named, with the one that was meant", () => {
  const found = fault(() => service("api", { source: "api", port: 80, replica: 2 } as never));
  assert.deepEqual(found, {
    code: "MODEL_UNKNOWN_FIELD",
    message: 'service("api"): there is no field "replica"',
    instead: "replicas: …",
  });
});

test("a missing field, a port out of range and a wrong quantity are named", () => {
  assert.equal(fault(() => service("api", { source: "api" } as never)).message, 'service("api"): "port" is missing');
  assert.equal(fault(() => service("api", { source: "api", port: 70000 })).message, 'service("api"): port is 70000');
  const secrets = secret("s", { A: "a" });
  assert.match(
    fault(() => postgres("db", { user: secrets.A, password: secrets.A, storage: "1 GB" })).message,
    /storage is "1 GB"/,
  );
});

test("a name that Kubernetes refuses comes with one that it takes", () => {
  assert.match(fault(() => service("Auth_Service", { source: "a", port: 1 })).instead ?? "", /"auth-service"/);
});

test("two services with one name: the second is shown, with the place of the first", () => {
  const found = fault(() => build(service("api", { source: "a", port: 1 }), service("api", { source: "b", port: 2 })));
  assert.equal(found.code, "MODEL_DUPLICATE_NAME");
  assert.match(found.message, /service\("api"\) at .*model\.test\.ts:\d+:\d+ has that name already/);
});

test("a cycle is explained instead of JavaScript's ReferenceError", () => {
  const found = fault(() =>
    describeSystem(
      system("shop", () => {
        // @ts-expect-error the mistake under test, which an editor shows too
        const a = service("a", { source: "a", port: 1, env: { B: b.url } });
        const b: typeof a = service("b", { source: "b", port: 2, env: { A: a.url } });
        return [a, b];
      }),
      "development",
      "1",
    ),
  );
  assert.equal(found.code, "MODEL_CYCLE");
  assert.match(found.instead ?? "", /peer\("name"\)\.url/);
});

test("services that call each other name one of the two by peer; a peer that is not there is a reference to nothing", () => {
  const make = (name: string) => () => {
    const a = service("a", { source: "a", port: 1, env: { B: peer(name).url } });
    return build(a, service("b", { source: "b", port: 2, env: { A: a.url } }));
  };
  assert.equal(make("b")().values.length, 2);
  assert.equal(fault(make("bee")).code, "MODEL_REFERENCE_TO_NOTHING");
});

test("a service given to env instead of its address, and undefined in env, say what to write", () => {
  const a = service("a", { source: "a", port: 1 });
  assert.equal(
    fault(() => service("b", { source: "b", port: 1, env: { A: a as never } })).instead,
    "env.A: its address: a.url",
  );
  assert.match(
    fault(() => service("b", { source: "b", port: 1, env: { A: undefined as never } })).message,
    /env\.A is "undefined"/,
  );
});

test("images without a version, and the tag latest, are refused", () => {
  assert.match(fault(() => service("web", { image: "nginx", port: 80 })).instead ?? "", /never "latest"/);
  assert.match(fault(() => service("web", { image: "nginx:latest", port: 80 })).instead ?? "", /"nginx:1\.2\.3"/);
});

test("what is not a value is refused where a list of values is wanted", () => {
  assert.match(fault(() => build("api" as never)).message, /returns "api"/);
  assert.match(
    fault(() =>
      describeSystem(
        system("shop", () => undefined as never),
        "development",
        "1",
      ),
    ).instead ?? "",
    /return \[/,
  );
});
