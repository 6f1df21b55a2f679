import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startTestServer, type TestServer } from "../start-test-server.ts";

const found = spawnSync("kubectl", ["version", "--client"]).status === 0;
const skip = found ? false : "kubectl is not on PATH";
const run = promisify(execFile);

async function kubectl(server: TestServer, ...words: string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: server.kubeconfig, HOME: server.folder };
  const { stdout } = await run("kubectl", words, { env, timeout: 30_000 });
  return stdout.trim();
}

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

test("kubectl creates, applies, changes, waits and deletes", { skip }, async () => {
  await using server = await startTestServer();
  const file = join(server.folder, "web.yaml");
  writeFileSync(file, manifest);
  assert.equal(await kubectl(server, "apply", "-f", file), "deployment.apps/web created\nservice/web created");
  assert.equal(await kubectl(server, "apply", "-f", file), "deployment.apps/web unchanged\nservice/web unchanged");
  await kubectl(server, "apply", "--server-side", "--force-conflicts", "-f", file);
  await kubectl(server, "set", "image", "deployment/web", "web=nginx:2");
  await kubectl(server, "scale", "deployment/web", "--replicas=5");
  await kubectl(server, "label", "deployment/web", "tier=front");
  await kubectl(server, "annotate", "service/web", "note=x");
  await kubectl(
    server,
    "patch",
    "deployment/web",
    "--type=json",
    "-p",
    '[{"op":"add","path":"/spec/paused","value":true}]',
  );
  const path = "{.spec.replicas} {.spec.template.spec.containers[0].image} {.spec.paused} {.metadata.labels.tier}";
  assert.equal(await kubectl(server, "get", "deployment/web", "-o", `jsonpath=${path}`), "5 nginx:2 true front");
  assert.equal(await kubectl(server, "get", "all", "-l", "tier=front", "-o", "name"), "deployment.apps/web");
  assert.equal(await kubectl(server, "delete", "-f", file), 'deployment.apps "web" deleted\nservice "web" deleted');
});

test("kubectl hears a refusal in the server's words", { skip }, async () => {
  await using server = await startTestServer();
  await assert.rejects(kubectl(server, "get", "pod", "none"), /Error from server \(NotFound\): pods "none" not found/);
  await assert.rejects(
    kubectl(server, "create", "namespace", "UPPER"),
    /is invalid: metadata.name: Invalid value: "UPPER"/,
  );
  await assert.rejects(kubectl(server, "--token=wrong", "get", "pods"), /Unauthorized/);
});
