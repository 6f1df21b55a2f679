import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { connect as connectPlainly } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { eventually, rawExchange, rawRequest, temporaryFolder } from "@dhow/testkit";

const folder = temporaryFolder();
const socketPath = join(folder.path, "api.sock");
const collection = "/api/v1/namespaces/default/configmaps";
const proof = ["Authorization", "Bearer administrator"] as const;
let server: ChildProcess;

before(async () => {
  const pki = join(folder.path, "pki");
  mkdirSync(pki);
  server = fork(fileURLToPath(new URL("bad-clients-server.ts", import.meta.url)), [pki, socketPath]);
  await once(server, "message");
});
after(async () => {
  server.disconnect();
  await once(server, "exit");
  folder[Symbol.dispose]();
});

async function dial(): Promise<TLSSocket> {
  const socket = connect({ path: socketPath, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return socket.on("error", () => undefined);
}

async function ask(
  method: string,
  path: string,
  body?: string | Uint8Array,
  more: readonly (readonly [string, string])[] = [],
) {
  const request = rawRequest({ method, path, headers: [proof, ...more], ...(body === undefined ? {} : { body }) });
  return await rawExchange(await dial(), request, 20_000);
}

const isWell = async () => assert.equal((await ask("GET", "/readyz")).body, "ok");
const files = () => readdirSync(`/proc/${server.pid}/fd`).length;
const megabytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) / 1024;

/** As many open files as before: nothing is kept for those who have gone. */
async function leavesNothing(deed: () => Promise<void>): Promise<void> {
  await isWell();
  const open = files();
  await deed();
  await isWell();
  await eventually(() => files() <= open + 2, 20_000);
}

test("a body of 100 MB is refused after three, and not kept", async () => {
  const at = megabytes();
  await leavesNothing(async () => {
    for (const length of [["Content-Length", "104857600"] as const, ["Transfer-Encoding", "chunked"] as const]) {
      const socket = await dial();
      socket.write(rawRequest({ method: "POST", path: collection, headers: [proof, length] }));
      const answered = rawExchange(socket, new Uint8Array(), 3000);
      const piece = Buffer.alloc(1 << 20, 0x20);
      for (let sent = 0; sent < 100 && !socket.destroyed; sent += 1) {
        if (length[0] === "Transfer-Encoding") socket.write("100000\r\n");
        const more = socket.write(piece);
        if (length[0] === "Transfer-Encoding") socket.write("\r\n");
        if (!more) await Promise.race([once(socket, "drain"), once(socket, "close")]);
      }
      const { body, status } = await answered;
      assert.equal(status, 413);
      assert.equal((JSON.parse(body) as { message: string }).message, "Request entity too large: limit is 3145728");
    }
  });
  assert.ok(megabytes() < at + 150, `${at} MB before, ${megabytes()} MB after`);
});

test("slow, cut and half-closed requests keep nobody else waiting and leave nothing", () =>
  leavesNothing(async () => {
    const whole = rawRequest({
      method: "POST",
      path: collection,
      headers: [proof],
      body: '{"metadata":{"name":"cut"}}',
    });
    const sockets = await Promise.all(Array.from({ length: 200 }, dial));
    for (const [at, socket] of sockets.entries())
      socket.write(whole.subarray(0, 1 + ((at * 7) % (whole.byteLength - 1))));
    await isWell();
    for (const [at, socket] of sockets.entries()) {
      if (at % 2 === 0) socket.destroy();
      else socket.end();
    }
    for (const socket of sockets) if (!socket.closed) await once(socket.resume(), "close");
    assert.equal((await ask("GET", `${collection}/cut`)).status, 404);
  }));

test("connections that speak no TLS, or stop in the middle of its greeting, leave nothing", () =>
  leavesNothing(async () => {
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001", "SSH-2.0-x\r\n", "\0".repeat(5000)]) {
      const socket = connectPlainly(socketPath).on("error", () => undefined);
      socket.end(Buffer.from(bytes, "latin1"));
      await once(socket.resume(), "close");
    }
  }));

test("a wish to become another protocol is passed over where there is none to become", async () => {
  for (const protocol of ["h2c", "websocket", "SPDY/3.1", "\u00ff"]) {
    const { body, status } = await ask("GET", `${collection}?limit=1`, undefined, [
      ["Connection", "Upgrade"],
      ["Upgrade", protocol],
    ]);
    assert.equal(status, 200, protocol);
    assert.equal((JSON.parse(body) as { kind: string }).kind, "ConfigMapList");
  }
  const exec = "/api/v1/namespaces/default/pods/none/exec?command=x";
  assert.equal(
    (
      await ask("GET", exec, undefined, [
        ["Connection", "Upgrade"],
        ["Upgrade", "websocket"],
      ])
    ).status,
    404,
  );
  assert.equal(
    (
      await ask("POST", exec, undefined, [
        ["Connection", "Upgrade"],
        ["Upgrade", "SPDY/3.1"],
      ])
    ).status,
    404,
  );
  await isWell();
});

test("1,000 watches that nobody reads cost little and hold up nobody", () =>
  leavesNothing(async () => {
    await ask("POST", collection, JSON.stringify({ metadata: { name: "busy" } }));
    const at = megabytes();
    const watchers: TLSSocket[] = [];
    for (let block = 0; block < 10; block += 1)
      watchers.push(...(await Promise.all(Array.from({ length: 100 }, dial))));
    for (const socket of watchers) {
      socket.pause();
      socket.write(rawRequest({ method: "GET", path: `${collection}?watch=1`, headers: [proof] }));
    }
    const type = [["Content-Type", "application/merge-patch+json"]] as const;
    const write = async (count: number, size: number) => {
      for (let number = 0; number < count; number += 1) {
        const data = { k: String(number).padEnd(size, "x") };
        assert.equal((await ask("PATCH", `${collection}/busy`, JSON.stringify({ data }), type)).status, 200);
      }
    };
    await write(15, 50_000);
    const grown = megabytes() - at;
    assert.ok(grown < 600, `1,000 watches that nobody reads have cost ${grown} MB`);
    for (const socket of watchers) socket.destroy();
  }));
