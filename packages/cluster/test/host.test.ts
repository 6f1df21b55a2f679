import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { DhowError, silent } from "@dhow/base";
import { clusterFolder, defaultNodes, joinCluster, portOwner, runningCluster, startCluster } from "@dhow/cluster";
import { temporaryFolder } from "@dhow/testkit";
import { makeFolders } from "../src/folder.ts";
import { claimFolder } from "../src/host/claim.ts";
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

test("one process at a time runs out of a folder: another is told which has it, until that ends, however it does", async () => {
  using folder = temporaryFolder();
  const state = clusterFolder(folder.path);
  makeFolders(state);
  const claims = new URL("../src/host/claim.ts", import.meta.url).href;
  const program = `const [folder, sockets, claims] = process.argv.slice(1);
    const { claimFolder } = await import(claims);
    await claimFolder({ path: folder, id: sockets });
    console.log("claimed");
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", program, folder.path, state.id, claims], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(owner.stdout, "data");
  const refused = (error: unknown) => {
    assert.ok(error instanceof DhowError);
    assert.equal(error.code, "CLUSTER_ALREADY_RUNNING");
    assert.match(error.message, new RegExp(`process ${owner.pid} runs out of ${folder.path} already`));
    return true;
  };
  const reporter = silent;
  const nodes = { folder: folder.path, nodes: defaultNodes, reporter };
  await assert.rejects(joinCluster({ ...nodes, kubeconfig: "none" }), refused);
  const named = { system: "shop", environment: "development", namespace: "shop", detached: false };
  await assert.rejects(startCluster({ ...nodes, ...named }), refused);
  owner.kill("SIGKILL");
  await once(owner, "exit");
  (await claimFolder(state))();
  (await claimFolder(state))();
});
