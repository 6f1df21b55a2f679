// Prints what the ingress of a whole real cluster makes of each case. Run on its network: `inside FOLDER node …/record.ts > recorded.json`.
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { cases } from "./cases.ts";
import { converse, listening, recorder, services, spec } from "./conversation.ts";

const address = "10.250.0.1";
const namespace = "hostile";
const reached: string[] = [];
const items: object[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "hostile", namespace }, spec },
];
for (const name of services) {
  const port = await listening(
    recorder(name, (request) => reached.push(request)),
    address,
  );
  const labels = { "kubernetes.io/service-name": name };
  items.push(
    { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      addressType: "IPv4",
      metadata: { name: `${name}-1`, namespace, labels },
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: "http", port }],
    },
  );
}
execFileSync("kubectl", ["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
const paths = ["/public", "/admin", "/exact"];
const serves = async (path: string) => (await fetch(`http://${address}${path}`).catch(() => undefined))?.status === 200;
while (!(await Promise.all(paths.map(serves))).every(Boolean)) await sleep(300);

const lines: string[] = [];
for (const [what, bytes] of Object.entries(cases)) {
  reached.length = 0;
  const statuses = await converse({ host: address, port: 80 }, bytes, { awaited: 0, patience: 500 });
  await sleep(500);
  const text = JSON.stringify({ statuses, reached }).replaceAll(/10\.250\.0\.1:\d+/g, "ADDRESS");
  lines.push(`${JSON.stringify(what)}: ${text}`);
}
console.log(`{\n${lines.join(",\n")}\n}`);
process.exit(0);
