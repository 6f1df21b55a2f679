// Runs in a world of its own: pods, Services and policies with the kernel's own answers, told over IPC; network.test.ts says what they should be.
import { connect, type Socket } from "node:net";
import { systemClock } from "@dhow/base";
import { createNetwork } from "../../src/network/network.ts";
import type { PolicyRules } from "../../src/network/policy-rules.ts";
import type { ServiceRule } from "../../src/network/service-rules.ts";
import { addressToNumber } from "../../src/sandbox/addresses.ts";
import { createNamespaceSandbox } from "../../src/sandbox/namespace-sandbox.ts";
import type { ContainerProcess, PodSandbox } from "../../src/sandbox/sandbox.ts";

const nodes = [
  { name: "one", address: "10.250.0.11", podCidr: "10.244.1.0/24" },
  { name: "two", address: "10.250.0.12", podCidr: "10.244.2.0/24" },
];
const userNamespace = process.argv[2] === "mapped";
const sandbox = await createNamespaceSandbox({ nodes, clock: systemClock, userNamespace });
const network = await createNetwork({ nodes, serviceCidr: "10.96.0.0/16", ownAddresses: ["10.96.0.10"] });

/** Answers each connection with the pod's name and the address that it sees the peer at. */
const server = `
const { createServer } = require("node:net");
const answer = (socket) => socket.end(process.env.NAME + " " + socket.remoteAddress.replace("::ffff:", ""));
let left = 2;
for (const port of [80, 81]) createServer(answer).listen(port, () => --left || console.log("listening"));`;

/** Runs in a pod: one connection, its words or its error. */
const client = `
const socket = require("node:net").connect({ host: process.argv[1], port: process.argv[2], timeout: 3000 });
socket.on("timeout", () => socket.destroy(Object.assign(new Error(), { code: "TIMEOUT" })));
socket.on("error", (error) => process.stdout.write(error.code));
socket.pipe(process.stdout);`;

interface Pod {
  readonly sandbox: PodSandbox;
  readonly container: ContainerProcess;
}

async function startPod(name: string, nodeName: string): Promise<Pod> {
  const config = {
    uid: name,
    namespace: "default",
    name,
    nodeName,
    hostname: name,
    resolvConf: "",
    hosts: [],
    sysctls: {},
  };
  const pod = await sandbox.createPod(config);
  const container = await pod.start({
    id: name,
    root: "host",
    mounts: [{ source: process.execPath, target: "/opt/node", readOnly: true }],
    memoryMounts: [],
    argv: ["/opt/node", "-e", server],
    env: { NAME: name },
    workingDirectory: "/",
    user: 1000,
    group: 1000,
    supplementalGroups: [],
    readOnlyRoot: true,
    capabilities: [],
    noNewPrivileges: true,
    limits: {},
    tty: false,
    stdin: false,
  });
  await new Promise((resolve) => container.stdout.once("data", resolve));
  return { sandbox: pod, container };
}

async function ask(from: Pod, host: string, port: number): Promise<string> {
  const process_ = await from.container.exec({
    argv: ["/opt/node", "-e", client, host, String(port)],
    tty: false,
    stdin: false,
  });
  let said = "";
  process_.stdout.on("data", (chunk) => (said += String(chunk)));
  await Promise.all([process_.exited, new Promise((resolve) => process_.stdout.on("close", resolve))]);
  return said;
}

/** From the agent itself. */
function askFromNode(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket: Socket = connect({ host, port, timeout: 3000 });
    socket.on("timeout", () => resolve("TIMEOUT"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("data", (chunk) => (said += String(chunk)));
    socket.on("end", () => resolve(said));
  });
}

const [a, b, c] = await Promise.all([startPod("a", "one"), startPod("b", "one"), startPod("c", "two")]);
const names = { a: a.sandbox.address, b: b.sandbox.address, c: c.sandbox.address };
const at = (pod: Pod) => ({ address: pod.sandbox.address, port: 80 });
const rule = (
  name: string,
  address: string,
  backends: readonly Pod[],
  more: Partial<ServiceRule> = {},
): ServiceRule => ({
  name,
  protocol: "tcp",
  fronts: [{ address, port: 8080 }],
  backends: backends.map(at),
  affinitySeconds: undefined,
  ...more,
});
const nobody: PolicyRules = { isolatedIngress: [], isolatedEgress: [], ingress: [], egress: [] };
const only = (pod: Pod) => [
  { first: addressToNumber(pod.sandbox.address), last: addressToNumber(pod.sandbox.address) },
];

async function tally(count: number, attempt: () => Promise<string>): Promise<string[]> {
  const said = new Set<string>();
  for (let turn = 0; turn < count; turn += 1) said.add((await attempt()).split(" ")[0] ?? "");
  return [...said].sort();
}

const services = [
  rule("both", "10.96.1.1", [a, b]),
  rule("self", "10.96.1.2", [a]),
  rule("none", "10.96.1.3", []),
  rule("sticky", "10.96.1.4", [a, b, c], { affinitySeconds: 100 }),
  rule("door", "10.96.1.5", [c], { fronts: nodes.map(({ address }) => ({ address, port: 30_000 })) }),
  rule("datagrams", "10.96.1.6", [a, b], { protocol: "udp" }),
];

const cases: Record<string, () => Promise<unknown>> = {
  names: async () => names,
  direct: () => ask(c, names.a, 80),
  "from the node": () => askFromNode(names.c, 80),
  balanced: async () => {
    await network.setServices(services);
    return await tally(40, () => askFromNode("10.96.1.1", 8080));
  },
  "from a pod": () => ask(c, "10.96.1.2", 8080),
  hairpin: () => ask(a, "10.96.1.2", 8080),
  "no endpoints": async () => [await ask(c, "10.96.1.3", 8080), await askFromNode("10.96.1.3", 8080)],
  "no such Service": async () => [await ask(c, "10.96.9.9", 80), await askFromNode("10.96.9.9", 80)],
  "not in this world": () => ask(c, "192.0.2.1", 80),
  sticky: async () => {
    const first = await tally(6, () => askFromNode("10.96.1.4", 8080));
    await network.setServices([...services, rule("more", "10.96.1.7", [a])]);
    return { places: first.length, same: (await tally(3, () => askFromNode("10.96.1.4", 8080)))[0] === first[0] };
  },
  "node port": async () => [await ask(a, "10.250.0.11", 30_000), await askFromNode("10.250.0.12", 30_000)],
  "endpoint gone": async () => {
    await network.setServices([rule("both", "10.96.1.1", [b])]);
    return await tally(6, () => askFromNode("10.96.1.1", 8080));
  },
  "ingress denied": async () => {
    const ports = [{ protocol: "tcp" as const, first: 80, last: 80 }];
    const ingress = [{ pods: [names.a], peers: only(b), ports, namedPorts: [] }];
    await network.setPolicies({ ...nobody, isolatedIngress: [names.a], ingress });
    return [
      await ask(c, names.a, 80),
      await ask(b, names.a, 80),
      await ask(b, names.a, 81),
      await askFromNode(names.a, 80),
    ];
  },
  "egress denied": async () => {
    const egress = [
      {
        pods: [names.c],
        peers: undefined,
        ports: [],
        namedPorts: [{ address: names.b, protocol: "tcp" as const, port: 81 }],
      },
    ];
    await network.setPolicies({ ...nobody, isolatedEgress: [names.c], egress });
    return [
      await ask(c, names.a, 80),
      await ask(c, names.b, 81),
      await ask(c, names.b, 80),
      await ask(c, "10.96.0.10", 53),
    ];
  },
  "a pod may reach itself": async () => {
    await network.setServices(services);
    await network.setPolicies({ ...nobody, isolatedIngress: [names.a], isolatedEgress: [names.a] });
    return [await ask(a, names.a, 80), (await ask(a, "10.96.1.2", 8080)).split(" ")[0]];
  },
  "all allowed again": async () => {
    await network.setPolicies(nobody);
    return await ask(c, names.a, 80);
  },
};

for (const [name, attempt] of Object.entries(cases)) {
  try {
    process.send?.({ name, result: await attempt() });
  } catch (error) {
    process.send?.({ name, failure: error instanceof Error ? error.stack : String(error) });
  }
}
process.exit(0);
