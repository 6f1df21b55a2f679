import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { ask, IngressFixture, rule } from "./fixture.ts";

test("routes by host and path: exact before longer before shorter, a host of its own before a wildcard before none", async () => {
  await using ingress = new IngressFixture();
  for (const name of ["root", "auth", "exact", "wild", "own"]) {
    ingress.service(name, [await ingress.pod((request, response) => response.end(`${name} ${request.url}`))]);
  }
  ingress.ingress("a", { rules: [rule(undefined, { "/": "root", "/auth": "auth" })] });
  ingress.ingress("b", { rules: [rule(undefined, { "/auth/login": "exact" }, "Exact")] });
  ingress.ingress("c", {
    rules: [rule("*.example.org", { "/": "wild" }), rule("own.example.org", { "/only": "own" })],
  });
  const door = await ingress.httpDoor();
  const body = async (path: string, host = "127.0.0.1") => (await ask(door, path, { host })).body;

  assert.equal(await body("/auth?x=1"), "auth /auth?x=1");
  assert.equal(await body("/auth/me"), "auth /auth/me");
  assert.equal(await body("/author"), "root /author");
  assert.equal(await body("/auth/login"), "exact /auth/login");
  assert.equal(await body("/auth/login/"), "auth /auth/login/");
  assert.equal(await body("/", "shop.example.org:8080"), "wild /");
  assert.equal(await body("/", "deep.shop.example.org"), "root /");
  assert.equal(await body("/only/x", "OWN.example.org"), "own /only/x");
  assert.equal((await ask(door, "/other", { host: "own.example.org" })).status, 404);
});

test("answers 404 without a route, 503 without endpoints, and follows both as they change", async () => {
  await using ingress = new IngressFixture();
  const door = await ingress.httpDoor();
  assert.equal((await ask(door, "/")).status, 404);
  ingress.ingress("a", { defaultBackend: { service: { name: "web", port: { name: "http" } } } });
  assert.equal((await ask(door, "/")).status, 503);
  const pod = await ingress.pod((_, response) => response.end("here"));
  ingress.service("web", [pod]);
  assert.equal((await ask(door, "/")).body, "here");
  ingress.service("web", []);
  assert.equal((await ask(door, "/")).status, 503);
});

test("tells the pod who asks, and believes no client about it", async () => {
  await using ingress = new IngressFixture({ ports: { http: 8080, https: 8443 } });
  const pod = await ingress.pod((request, response) => response.end(JSON.stringify(request.headers)));
  ingress.service("web", [pod]);
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const door = await ingress.httpDoor();
  const headers = {
    "x-forwarded-for": "1.2.3.4",
    "x-request-id": "mine",
    connection: "close, x-secret",
    "x-secret": "1",
  };
  const seen = JSON.parse((await ask(door, "/", { host: "shop.test:8080", headers })).body) as Record<string, string>;
  assert.equal(seen["host"], "shop.test:8080");
  assert.equal(seen["x-forwarded-for"], "127.0.0.1");
  assert.equal(seen["x-real-ip"], "127.0.0.1");
  assert.equal(seen["x-forwarded-proto"], "http");
  assert.equal(seen["x-forwarded-port"], "8080");
  assert.equal(seen["x-request-id"], "mine");
  assert.equal(seen["x-secret"], undefined);
});

test("rewrites with a pattern's groups", async () => {
  await using ingress = new IngressFixture();
  ingress.service("web", [await ingress.pod((request, response) => response.end(request.url))]);
  const annotations = { "use-regex": "true", "rewrite-target": "/$2" };
  ingress.ingress("a", { rules: [rule(undefined, { "/app(/|$)(.*)": "web" }, "ImplementationSpecific")] }, annotations);
  const door = await ingress.httpDoor();
  assert.equal((await ask(door, "/app/x/y?z=1")).body, "/x/y?z=1");
  assert.equal((await ask(door, "/app")).body, "/");
  assert.equal((await ask(door, "/apple")).status, 404);
});

test("sends to the canary by header, then by cookie, then by weight", async () => {
  let random = 0.5;
  await using ingress = new IngressFixture({ random: () => random });
  for (const name of ["old", "new"]) ingress.service(name, [await ingress.pod((_, response) => response.end(name))]);
  ingress.ingress("main", { rules: [rule(undefined, { "/": "old" })] });
  ingress.ingress(
    "canary",
    { rules: [rule(undefined, { "/": "new" })] },
    {
      canary: "true",
      "canary-weight": "10",
      "canary-by-header": "X-Canary",
      "canary-by-cookie": "canary",
    },
  );
  const door = await ingress.httpDoor();
  const body = async (headers: Record<string, string> = {}) => (await ask(door, "/", { headers })).body;
  assert.equal(await body(), "old");
  random = 0.09;
  assert.equal(await body(), "new");
  assert.equal(await body({ "x-canary": "never" }), "old");
  assert.equal(await body({ cookie: "canary=never" }), "old");
  random = 0.5;
  assert.equal(await body({ "x-canary": "always", cookie: "canary=never" }), "new");
  assert.equal(await body({ cookie: "a=b; canary=always" }), "new");
});

test("serves only Ingresses of its own class", async () => {
  await using ingress = new IngressFixture();
  ingress.service("web", [await ingress.pod((_, response) => response.end("web"))]);
  const spec = (name: string) => ({ ingressClassName: name, rules: [rule(`${name}.test`, { "/": "web" })] });
  for (const [name, controller] of Object.entries({ ours: "k8s.io/ingress-nginx", theirs: "example.org/other" })) {
    ingress.objects.ingressClasses.put({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name },
      spec: { controller },
    });
    ingress.ingress(name, spec(name));
  }
  const door = await ingress.httpDoor();
  assert.equal((await ask(door, "/", { host: "ours.test" })).status, 200);
  assert.equal((await ask(door, "/", { host: "theirs.test" })).status, 404);
});

test("passes an upgraded connection through in both directions", async () => {
  await using ingress = new IngressFixture();
  const pod = await ingress.tcpPod((socket) => {
    socket.once("data", (head: Buffer) => {
      assert.match(head.toString(), /^GET \/socket HTTP\/1\.1\r\n[^]*Upgrade: echo\r\n/);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.pipe(socket);
    });
  });
  ingress.service("web", [pod]);
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const client = connect({ host: "127.0.0.1", port: await ingress.httpDoor() });
  client.write("GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  let said = "";
  for await (const chunk of client) {
    said += String(chunk);
    if (said.endsWith("\r\n\r\n")) client.write("ping");
    if (said.endsWith("ping")) break;
  }
  assert.match(said, /^HTTP\/1\.1 101 /);
});

test("makes no tunnel to a pod that wants none: what comes behind such a request reaches nobody", async () => {
  await using ingress = new IngressFixture();
  let heard = "";
  const pod = await ingress.tcpPod((socket) => {
    socket.on("data", (piece) => {
      heard += String(piece);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  ingress.service("web", [pod]);
  ingress.ingress("a", { rules: [rule(undefined, { "/public": "web" })] });
  const client = connect({ host: "127.0.0.1", port: await ingress.httpDoor() });
  client.write("GET /public HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  let said = "";
  client.on("error", () => undefined);
  for await (const chunk of client) {
    said += String(chunk);
    if (said.endsWith("ok")) client.write("GET /admin HTTP/1.1\r\nHost: x\r\nX-Real-IP: 6.6.6.6\r\n\r\n");
  }
  assert.match(said, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
  assert.match(heard, /^GET \/public HTTP\/1\.1\r\n/);
  assert.doesNotMatch(heard, /admin|6\.6\.6\.6/);
});

test("a NodePort's door passes bytes to a ready pod, and closes at once where there is none", async () => {
  await using ingress = new IngressFixture();
  const pod = await ingress.tcpPod((socket) => {
    let said = "";
    socket.on("data", (chunk) => (said += String(chunk)));
    socket.on("end", () => socket.end(`you said ${said}`));
  });
  const door = await ingress.door((server) => ingress.controller.attachNodePort(30_080, server));
  const talk = async () => {
    const client = connect({ host: "127.0.0.1", port: door, allowHalfOpen: true });
    client.end("hello");
    let said = "";
    for await (const chunk of client) said += String(chunk);
    return said;
  };
  await assert.rejects(talk(), { code: "ECONNRESET" });
  ingress.service("web", [1, pod]);
  assert.equal(await talk(), "you said hello");
});
