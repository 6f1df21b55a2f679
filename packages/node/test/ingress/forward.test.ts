import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, IngressFixture, rule } from "./fixture.ts";

test("passes over a pod that refuses the connection, whatever the method", async () => {
  await using ingress = new IngressFixture();
  const pod = await ingress.pod((request, response) => request.pipe(response));
  ingress.service("web", [1, pod]);
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const door = await ingress.httpDoor();
  for (let turn = 0; turn < 4; turn += 1) {
    assert.equal((await ask(door, "/", { method: "POST", body: "once" })).body, "once");
    assert.equal((await ask(door, "/", { method: "PUT", body: "twice" })).body, "twice");
  }
});

test("waits a moment for the pod that takes the place of the only one, and says 502 where none does", async () => {
  await using ingress = new IngressFixture();
  const pod = await ingress.pod((request, response) => request.pipe(response));
  ingress.service("web", [1]);
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const door = await ingress.httpDoor();
  assert.equal((await ask(door, "/", { method: "POST", body: "nobody" })).status, 502);
  const asked = ask(door, "/", { method: "POST", body: "late" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  ingress.service("web", [pod]);
  assert.equal((await asked).body, "late");
});

test("repeats a request that broke before any answer only where asking twice is asking once", async () => {
  await using ingress = new IngressFixture();
  let broken = 0;
  const breaking = await ingress.pod((request) => {
    broken += 1;
    request.socket.resetAndDestroy();
  });
  const good = await ingress.pod((request, response) => request.pipe(response));
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const door = await ingress.httpDoor();
  ingress.service("web", [breaking, good]);
  const puts = [];
  for (let turn = 0; turn < 4; turn += 1) puts.push((await ask(door, "/", { method: "PUT", body: "x" })).body);
  assert.deepEqual(puts, ["x", "x", "x", "x"]);
  assert.ok(broken > 0);
  const posts = [];
  for (let turn = 0; turn < 4; turn += 1) posts.push((await ask(door, "/", { method: "POST", body: "x" })).status);
  assert.deepEqual(
    posts.sort((a, b) => a - b),
    [200, 200, 502, 502],
  );
  const keyed = [];
  const headers = { "idempotency-key": "one" };
  for (let turn = 0; turn < 4; turn += 1)
    keyed.push((await ask(door, "/", { method: "POST", body: "x", headers })).status);
  assert.deepEqual(keyed, [200, 200, 200, 200]);
});

test("streams bodies of any announced length, and refuses what is over the limit", async () => {
  await using ingress = new IngressFixture();
  const pod = await ingress.pod((request, response) => request.pipe(response));
  ingress.service("web", [pod]);
  ingress.ingress("a", { rules: [rule("big.test", { "/": "web" })] }, { "proxy-body-size": "8m" });
  ingress.ingress("b", { rules: [rule("small.test", { "/": "web" })] });
  const door = await ingress.httpDoor();
  const body = Buffer.alloc(3 * 1024 * 1024, "x");
  assert.equal((await ask(door, "/", { host: "big.test", method: "POST", body })).body.length, body.length);
  const chunked = { "transfer-encoding": "chunked" };
  assert.equal(
    (await ask(door, "/", { host: "big.test", method: "POST", headers: chunked, body })).body.length,
    body.length,
  );
  assert.equal((await ask(door, "/", { host: "small.test", method: "HEAD" })).status, 200);
  await assert.doesNotReject(async () => {
    const refused = await ask(door, "/", {
      host: "small.test",
      method: "POST",
      body: Buffer.alloc(2 * 1024 * 1024),
    }).catch((error: NodeJS.ErrnoException) => error);
    // A server may answer 413 and close while the client still sends: the client sees either.
    assert.ok("status" in refused ? refused.status === 413 : ["EPIPE", "ECONNRESET"].includes(refused.code ?? ""));
  });
});

test("asks another pod where one breaks off in the middle of an answer that is short", async () => {
  await using ingress = new IngressFixture();
  const breaking = await ingress.pod((request, response) => {
    response.writeHead(200, { "content-length": "8" }).write("half", () => request.socket.resetAndDestroy());
  });
  const good = await ingress.pod((_, response) => response.writeHead(200, { "content-length": "5" }).end("whole"));
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  ingress.service("web", [breaking, good]);
  const door = await ingress.httpDoor();
  for (let turn = 0; turn < 4; turn += 1) assert.equal((await ask(door, "/")).body, "whole");
  const head = await ask(door, "/", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"]], [200, "5"]);
});

test("breaks the client's answer off where the pod's broke off", async () => {
  await using ingress = new IngressFixture();
  const pod = await ingress.pod((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  ingress.service("web", [pod]);
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const door = await ingress.httpDoor();
  await assert.rejects(ask(door, "/", { method: "POST" }), { code: "ECONNRESET" });
});

test("loses no request while pods come and go", async () => {
  await using ingress = new IngressFixture();
  ingress.ingress("a", { rules: [rule(undefined, { "/": "web" })] });
  const door = await ingress.httpDoor();
  const start = async () => {
    const server = await ingress.pod((request, response) => {
      request.resume().on("end", () => setTimeout(() => response.end("ok"), 5));
    });
    return server;
  };
  let ports = [await start(), await start()];
  ingress.service("web", ports);
  const statuses: number[] = [];
  const load = new AbortController();
  const client = async (method: string) => {
    while (!load.signal.aborted)
      statuses.push((await ask(door, "/", { method, ...(method === "POST" ? { body: "x" } : {}) })).status);
  };
  const clients = ["GET", "POST", "PUT", "GET"].map(client);
  for (let turn = 0; turn < 10; turn += 1) {
    ports = [...ports.slice(1), await start()];
    ingress.service("web", [...ports, 1]);
    // However slow this machine is, each turn sees requests.
    for (const seen = statuses.length; statuses.length < seen + 8;)
      await Promise.race([...clients, new Promise(setImmediate)]);
  }
  load.abort();
  await Promise.all(clients);
  assert.deepEqual([...new Set(statuses)], [200]);
});
