import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { KubeconfigTransport, readText } from "@dhow/kube";
import { FakeClock, temporaryFolder } from "@dhow/testkit";

const refused = new Set<string>();
const server = createServer(({ headers }, response) => {
  const shown = headers.authorization ?? "";
  response.writeHead(refused.has(shown) ? 401 : 200).end(shown);
});

before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => {
  server.close();
  server.closeAllConnections();
});

test("a token that is renewed in its file is followed: within a minute, or at once where the old one is refused", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "token");
  const renew = (token: string) => writeFileSync(file, `${token}\n`);
  renew("one");
  const kubeconfig = join(folder.path, "kubeconfig");
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
      clusters: [{ name: "k", cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: "u", user: { tokenFile: "token" } }],
    }),
  );
  const clock = new FakeClock();
  const transport = new KubeconfigTransport(kubeconfig, clock);
  const ask = async () => {
    const { body, status } = await transport.request({ method: "GET", path: "/", headers: {} });
    return `${status} ${await readText(body)}`;
  };
  assert.equal(await ask(), "200 Bearer one");
  renew("two");
  assert.equal(await ask(), "200 Bearer one", "what is fresh is not read again for each request");
  await clock.advance(60_000);
  assert.equal(await ask(), "200 Bearer two");
  renew("three");
  refused.add("Bearer two");
  assert.equal(await ask(), "401 Bearer two");
  assert.equal(await ask(), "200 Bearer three");
  rmSync(file);
  await clock.advance(60_000);
  assert.equal(await ask(), "200 Bearer three", "a file that is not there just now changes nothing");
  transport.close();
});
