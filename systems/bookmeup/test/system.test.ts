import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { commandLines, eventually, filesForOthers } from "@dhow/testkit";
import { type BookMeUpCluster, startCluster } from "./cluster.ts";
import { connections, people, ports } from "./inside.ts";
import { KeyboardPerson, launch, noBrowser } from "./journey.ts";
import { ask, dayFromNow, haircut } from "./people.ts";

describe("BookMeUp as dhow runs it", () => {
  let cluster: BookMeUpCluster;
  let provider: { email: string; token: string };

  before(async () => {
    cluster = await startCluster();
    provider = await person("Paula Provider");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const password = "correct horse battery";

  async function signIn(email: string): Promise<string> {
    const { status, body } = await ask(`${cluster.url}/auth/login`, { body: { email, password } });
    assert.equal(status, 200, JSON.stringify(body));
    return body.accessToken;
  }

  async function person(name: string): Promise<{ email: string; token: string }> {
    const email = `${randomUUID()}@example.org`;
    const { status, body } = await ask(`${cluster.url}/auth/register`, { body: { email, name, password } });
    assert.equal(status, 201, JSON.stringify(body));
    return { email, token: await signIn(email) };
  }

  async function publish(title: string): Promise<string> {
    const { status, body } = await ask(`${cluster.url}/services`, {
      body: { ...haircut, title },
      token: provider.token,
    });
    assert.equal(status, 201, JSON.stringify(body));
    return body.id;
  }

  async function slotsOf(id: string): Promise<string[]> {
    const { body } = await ask(`${cluster.url}/services/${id}/slots?date=${dayFromNow(3)}`);
    return body.slots.map((slot: { start: string }) => slot.start);
  }

  it("is the Deployments, Services and Ingress of the contract", async () => {
    const deployments = await cluster.objects("deployments");
    const wanted = deployments.map(({ metadata, spec, status }) => [
      metadata.name,
      spec.replicas,
      status.readyReplicas,
    ]);
    assert.deepEqual(wanted, [
      ["adminer", 1, 1],
      ["auth-service", 2, 2],
      ["db-service", 2, 2],
      ["logic-service", 2, 2],
      ["postgres", 1, 1],
    ]);
    assert.ok(deployments.every(({ metadata }) => metadata.namespace === "bookmeup"));
    const services = await cluster.objects("services");
    assert.deepEqual(
      Object.fromEntries(services.map(({ metadata, spec }) => [metadata.name, `${spec.type} ${spec.ports[0].port}`])),
      {
        adminer: "NodePort 8080",
        "auth-service": "ClusterIP 5001",
        "db-service": "ClusterIP 5003",
        "logic-service": "ClusterIP 5002",
        postgres: "ClusterIP 5432",
      },
    );
    const [ingress, ...others] = await cluster.objects("ingresses");
    assert.deepEqual(others, []);
    assert.deepEqual(
      ingress.spec.rules[0].http.paths.map(
        ({
          path,
          pathType,
          backend,
        }: {
          path: string;
          pathType: string;
          backend: { service: { name: string; port: object } };
        }) => [path, pathType, backend.service.name],
      ),
      [
        ["/auth", "Prefix", "auth-service"],
        ["/services", "Prefix", "logic-service"],
        ["/profile", "Prefix", "logic-service"],
        ["/", "Prefix", "logic-service"],
      ],
    );
  });

  it("keeps its secrets and logs from everybody else on the machine", async () => {
    const secrets = await cluster.objects("secrets");
    const values = secrets.flatMap(({ data }) => Object.values<string>(data)).map((value) => atob(value));
    const hidden = values.filter((value) => value.length >= 12);
    assert.ok(hidden.length >= 3, "a password, a key and the password of adminer");
    const shown = commandLines().filter((line) => hidden.some((value) => line.includes(value)));
    assert.deepEqual(shown, []);
    const known = (await cluster.objects("pods")).map(({ metadata }) => `pods/${metadata.uid}/logs`);
    for (const node of ["node-1", "node-2"]) {
      const folder = join(cluster.folder, ".dhow/agent/nodes", node);
      const readable = filesForOthers([folder, ...["pods", "records", ...known].map((name) => join(folder, name))]);
      assert.deepEqual(readable, []);
    }
  });

  it("gives each pod probes, resources, a versioned image, and secrets by reference", async () => {
    const deployments = await cluster.objects("deployments");
    const containers = new Map(
      deployments.map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0]]),
    );
    for (const [name, container] of containers) {
      assert.match(container.image, /:(?!latest)[\w.-]+$|@sha256:/, name);
      assert.ok(container.livenessProbe && container.readinessProbe, name);
      if (name === "adminer") continue;
      assert.deepEqual(
        container.resources,
        { requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "500m", memory: "512Mi" } },
        name,
      );
    }
    for (const name of ["auth-service", "logic-service", "db-service"])
      assert.equal(containers.get(name).livenessProbe.httpGet.path, "/health", name);
    const references = [...containers.values()]
      .flatMap(({ env = [] }) => env)
      .map(({ valueFrom }) => valueFrom?.secretKeyRef);
    const own = references.filter((reference) => reference?.name === "bookmeup-secrets");
    const keysOf = (optional: boolean) =>
      new Set(own.filter((reference) => (reference.optional ?? false) === optional).map(({ key }) => key));
    assert.deepEqual(keysOf(false), new Set(["JWT_SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_USER"]));
    assert.deepEqual(keysOf(true), new Set(["JWT_OTHER_SECRET_KEY", "POSTGRES_OTHER_PASSWORD"]));
    const [secret] = (await cluster.objects("secrets")).filter(({ metadata }) => metadata.name === "bookmeup-secrets");
    assert.deepEqual(Object.keys(secret.data).sort(), ["JWT_SECRET_KEY", "POSTGRES_PASSWORD", "POSTGRES_USER"]);
    const rendered = await cluster.dhow("render");
    for (const value of Object.values(secret.data as Record<string, string>).slice(0, 2))
      assert.ok(!rendered.includes(value), "no secret is among the objects that are shown");
  });

  it("keeps the database's data in postgres-pvc, bound to postgres-pv", async () => {
    const [claim] = await cluster.objects("persistentvolumeclaims");
    assert.equal(claim.metadata.name, "postgres-pvc");
    assert.deepEqual(claim.spec.accessModes, ["ReadWriteOnce"]);
    assert.deepEqual(
      [claim.spec.volumeName, claim.status.phase, claim.status.capacity.storage],
      ["postgres-pv", "Bound", "1Gi"],
    );
    const [volume] = await cluster.objects("persistentvolumes");
    assert.deepEqual(
      [volume.metadata.name, volume.status.phase, volume.spec.claimRef.name],
      ["postgres-pv", "Bound", "postgres-pvc"],
    );
  });

  it("resolves the three names of a service inside the cluster", async () => {
    const [service] = (await cluster.objects("services")).filter(({ metadata }) => metadata.name === "auth-service");
    const names = ["auth-service", "auth-service.bookmeup", "auth-service.bookmeup.svc.cluster.local"];
    const program = `import { lookup } from "node:dns/promises";
      console.log(JSON.stringify(await Promise.all(${JSON.stringify(names)}.map(async (name) => (await lookup(name)).address))));`;
    assert.deepEqual(
      await cluster.inside("logic-service", program),
      names.map(() => service.spec.clusterIP),
    );
  });

  it("lets each service reach what it calls, and refuses all else at once", async () => {
    const seen = Object.fromEntries(
      await Promise.all(
        ["auth-service", "logic-service", "db-service", "adminer"].map(async (name) => [
          name,
          await cluster.inside(name, connections),
        ]),
      ),
    );
    // What a service has open to itself is its own matter.
    const others = (name: string, open: readonly string[]) =>
      Object.fromEntries(
        Object.keys(ports).map((port) => [
          port,
          port === name ? seen[name][name] : open.includes(port) ? "open" : "ECONNREFUSED",
        ]),
      );
    assert.deepEqual(seen, {
      "auth-service": others("auth-service", ["db-service"]),
      "logic-service": others("logic-service", ["db-service"]),
      "db-service": others("db-service", ["postgres"]),
      adminer: others("adminer", ["postgres"]),
    });
  });

  it("answers for all services at one address", async () => {
    assert.deepEqual((await ask(`${cluster.url}/auth/health`)).body, { status: "healthy" });
    assert.match((await ask(`${cluster.url}/`)).body, /<title>/);
    assert.equal((await ask(`${cluster.url}/services`)).status, 200);
    assert.equal((await ask(`${cluster.url}/profile`)).status, 401);
  });

  it(
    "lets a person register, publish, find, book and see it in the profile, by keyboard alone, 360 pixels wide",
    { skip: noBrowser },
    async () => {
      await using browser = await launch();
      const context = await browser.newContext({
        viewport: { width: 360, height: 740 },
        locale: "en-GB",
        timezoneId: "Europe/Zurich",
      });
      const kim = new KeyboardPerson(await context.newPage());
      await kim.page.goto(cluster.url);
      await kim.register("Kim Keys");
      await kim.publish("Cello lesson");
      const chosen = await kim.book("Cello lesson");
      assert.ok(await kim.page.locator("time", { hasText: chosen }).first().isVisible(), chosen);
      await kim.press("Profile");
      await kim.sees("Profile");
      assert.equal(await kim.page.getByLabel("Name").inputValue(), "Kim Keys");
      if (process.env["SCREENSHOTS"])
        await kim.page.screenshot({ path: `${process.env["SCREENSHOTS"]}/profile-360.png`, fullPage: true });
      assert.deepEqual(kim.faults, []);
    },
  );

  it("sells a slot once, however many want it", async () => {
    const id = await publish("Race");
    const [start] = await slotsOf(id);
    const tokens: string[] = await cluster.inside("auth-service", people);
    const replies = await Promise.all(
      tokens.map((token) =>
        ask(`${cluster.url}/services/${id}/bookings`, {
          body: { start },
          token,
          headers: { "idempotency-key": randomUUID() },
        }),
      ),
    );
    const count = (status: number) => replies.filter((reply) => reply.status === status).length;
    assert.deepEqual({ won: count(201), lost: count(409) }, { won: 1, lost: 199 });
    assert.ok(!(await slotsOf(id)).includes(start ?? ""));
  });

  it("lets operators look at the database, behind a login, and write nothing", async () => {
    const { adminerUrl } = cluster;
    assert.equal((await fetch(adminerUrl, { redirect: "manual" })).headers.get("location"), "/login");
    const signIn = (password: string) =>
      fetch(`${adminerUrl}/login`, {
        method: "POST",
        body: new URLSearchParams({ user: "admin", password }),
        redirect: "manual",
      });
    assert.notEqual((await signIn("wrong")).status, 303);
    // The password is where `status` says it is.
    const [, name = "", key = ""] = /password: dhow secret (\S+) (\S+)/.exec(await cluster.dhow("status")) ?? [];
    const answer = await signIn((await cluster.dhow("secret", name, key)).trim());
    assert.equal(answer.status, 303);
    const headers = { cookie: answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "" };
    assert.match(await (await fetch(adminerUrl, { headers })).text(), />bookings</);
    const page = await (await fetch(`${adminerUrl}/query`, { headers })).text();
    const token = /name="token"[^>]*value="([^"]+)"/.exec(page)?.[1] ?? "";
    const query = async (text: string) =>
      (
        await fetch(`${adminerUrl}/query`, { method: "POST", headers, body: new URLSearchParams({ text, token }) })
      ).text();
    assert.match(await query("select name from users order by name limit 1"), /Customer 0/);
    assert.match(await query("delete from bookings"), /role="alert">\s*<strong>Nothing can be changed here/);
  });

  it("has its data and its secrets again after down and up", async () => {
    const id = await publish("Kept");
    const secret = await cluster.dhow("secret", "bookmeup-secrets");
    await cluster.dhow("down");
    await assert.rejects(fetch(cluster.url));
    await cluster.up();
    assert.equal((await ask(`${cluster.url}/services/${id}`)).body.title, "Kept");
    assert.equal((await ask(`${cluster.url}/profile`, { token: await signIn(provider.email) })).status, 200);
    assert.equal((await ask(`${cluster.url}/profile`, { token: provider.token })).status, 200, "tokens hold");
    assert.equal(await cluster.dhow("secret", "bookmeup-secrets"), secret);
    const pods = await eventually(() => cluster.objects("pods"));
    assert.ok(pods.every(({ status }) => status.phase === "Running"));
  });
});
