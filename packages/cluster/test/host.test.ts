import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { DhowError } from "@dhow/base";
import { clusterFolder, portOwner, runningCluster } from "@dhow/cluster";
import { temporaryFolder } from "@dhow/testkit";
import { makeFolders } from "../src/folder.ts";
import { openDoor } from "../src/host/doors.ts";
import { processStart, sayRunning, sayStopped } from "../src/host/running.ts";

test("a port that is taken is said, by whom, and how to choose another", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    assert.match(portOwner(port) ?? "", new RegExp(`\\(process ${process.pid}\\)`));
    await assert.rejects(openDoor(port, "another port: --port 8081"), (error) => {
      assert.ok(error instanceof DhowError);
      assert.match(error.message, new RegExp(`port ${port} is taken by .* \\(process ${process.pid}\\)`));
      assert.equal(error.instead, "another port: --port 8081");
      return true;
    });
  } finally {
    server.close();
  }
  assert.equal(portOwner(port), undefined);
});

test("a cluster counts as running while its host lives, whatever a killed one left in the folder", () => {
  using folder = temporaryFolder();
  const state = clusterFolder(folder.path);
  makeFolders(state);
  const running = {
    pid: process.pid,
    processStart: processStart(process.pid) ?? "",
    detached: false,
    startedAt: "",
    system: "shop",
    environment: "development",
    namespace: "shop",
    server: "",
    ingressPort: 8080,
    httpsPort: 8443,
    refusedPorts: [],
  };
  assert.equal(runningCluster(state), undefined);
  sayRunning(state, running);
  assert.equal(runningCluster(state)?.system, "shop");
  sayRunning(state, { ...running, processStart: "another process that had this number" });
  assert.equal(runningCluster(state), undefined);
  sayStopped(state);
  assert.equal(runningCluster(state), undefined);
});

test("the paths of the sockets fit into a socket address, however deep the folder", () => {
  const deep = `/home/${"a-very-long-name/".repeat(12)}`;
  const { apiSocket, kubeletSocket } = clusterFolder(deep);
  for (const path of [apiSocket, kubeletSocket]) assert.ok(Buffer.byteLength(path) <= 107, path);
});
