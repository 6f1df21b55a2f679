import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { type HttpTransport, httpTransport, readText } from "@dhow/kube";
import { temporaryFolder } from "@dhow/testkit";

const skip = spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed";

function certificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const names = "subjectAltName=IP:127.0.0.1,DNS:kubernetes";
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", [...request, "-subj", "/CN=test", "-addext", names, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

async function listening(server: Server, at: string | number): Promise<AsyncDisposable & { port: number }> {
  await new Promise<void>((resolve) => {
    if (typeof at === "string") server.listen(at, resolve);
    else server.listen(at, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const echo: RequestListener = (request, response) => {
  const { authorization, host } = request.headers;
  response.setHeader("x-seen", `${request.method} ${request.url} ${authorization} ${host}`);
  request.pipe(response);
};

async function ask(transport: HttpTransport, body?: string | AsyncIterable<Uint8Array>) {
  const request = { method: body ? "POST" : "GET", path: "/api/v1/pods?limit=1", headers: {} };
  const response = await transport.request(body ? { ...request, body } : request);
  return { ...response, text: await readText(response.body) };
}

test("TLS over a Unix socket, with the server's name and a token", { skip }, async () => {
  using folder = temporaryFolder();
  const { cert, key } = certificate(folder.path);
  const socketPath = join(folder.path, "api.sock");
  await using _server = await listening(createTlsServer({ cert, key }, echo), socketPath);
  const transport = httpTransport({ server: "https://127.0.0.1:6443", ca: cert, socketPath, token: "secret" });
  const { status, headers, text } = await ask(transport, "some text");
  transport.close();
  assert.equal(status, 200);
  assert.equal(text, "some text");
  assert.equal(headers["x-seen"], "POST /api/v1/pods?limit=1 Bearer secret 127.0.0.1:6443");
});

test("a server that is not trusted, or not of that name, is refused", { skip }, async () => {
  using folder = temporaryFolder();
  const { cert, key } = certificate(folder.path);
  await using server = await listening(createTlsServer({ cert, key }, echo), 0);
  const address = `https://127.0.0.1:${server.port}`;
  await assert.rejects(ask(httpTransport({ server: address })), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  await assert.rejects(ask(httpTransport({ server: address, ca: cert, serverName: "other" })), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
  for (const good of [{ serverName: "kubernetes", ca: cert }, { insecure: true }]) {
    const transport = httpTransport({ server: address, ...good });
    assert.equal((await ask(transport)).status, 200);
    transport.close();
  }
});

test("a path of the server's comes first, and bodies may come in pieces", async () => {
  await using server = await listening(createServer(echo), 0);
  const transport = httpTransport({ server: `http://127.0.0.1:${server.port}/clusters/one/` });
  async function* pieces() {
    yield Buffer.from("one ");
    yield Buffer.from("two");
  }
  const { headers, text } = await ask(transport, pieces());
  transport.close();
  assert.match(headers["x-seen"] ?? "", /^POST \/clusters\/one\/api\/v1\/pods\?limit=1 /);
  assert.equal(text, "one two");
});

test("a read on a kept connection that the server closed is sent again", async () => {
  const seen: Socket[] = [];
  const dropping: RequestListener = (request, response) => {
    const again = seen.includes(request.socket);
    seen.push(request.socket);
    if (again) request.socket.destroy();
    else response.end("fine");
  };
  await using server = await listening(createServer(dropping), 0);
  const transport = httpTransport({ server: `http://127.0.0.1:${server.port}` });
  assert.equal((await ask(transport)).text, "fine");
  assert.equal((await ask(transport)).text, "fine");
  transport.close();
  assert.equal(seen.length, 3);
});

test("an abort ends a request under way and a body that is being read", async () => {
  await using server = await listening(
    createServer((_, response) => void response.write("begin\n")),
    0,
  );
  const transport = httpTransport({ server: `http://127.0.0.1:${server.port}` });
  const abort = new AbortController();
  const request = { method: "GET", path: "/", headers: {}, signal: abort.signal };
  const { body } = await transport.request(request);
  const read = readText(body);
  abort.abort();
  await assert.rejects(read);
  await assert.rejects(transport.request(request));
  transport.close();
});
