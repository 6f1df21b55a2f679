import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { ConfigMap, Pod } from "@dhow/kube";
import { readText } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { clusterFolder, connect, freePort, greeter, nobody, Running, type User } from "../fixture.ts";
import { chownSync } from "node:fs";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/", replicas: 1 });
  return [ingress("shop", { routes: { "/": api } })];
});
`;

/** What a ServiceAccount without a role may: what every authenticated user may (system:basic-user, system:public-info-viewer), and nothing else. */
const allowed: Readonly<Record<string, number>> = { "what it may itself": 201, "the version": 200 };

interface Found {
  readonly api: Readonly<Record<string, unknown>>;
  /** Ports that took a connection, by address. */
  readonly open: Readonly<Record<string, readonly number[]>>;
  /** Sockets, and files of the cluster's own; and the program itself, or nothing would say that it looked. */
  readonly files: readonly string[];
}

async function lookAround(folder: string, ports: readonly number[]): Promise<Found> {
  using cluster = connect(folder);
  const { client } = cluster;
  const [namespace, name] = ["inside", "probe"];
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await client.create({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name: "mine" } });
  const data = { "look.mjs": readFileSync(new URL("look.mjs", import.meta.url), "utf8") };
  await client.create<ConfigMap>({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, data });
  const nodes = await client.list({ apiVersion: "v1", kind: "Node" });
  const addresses = nodes.items.flatMap(
    ({ status }) => (status as { addresses: { type: string; address: string }[] }).addresses,
  );
  const internal = addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address);
  const gateways = ["10.244.1.1", "10.244.2.1"];
  const env = { PROBED_NODES: [...internal, ...gateways].join(), PROBED_PORTS: ports.join(), OTHER: name };
  await eventually(() => client.find({ apiVersion: "v1", kind: "ServiceAccount", namespace, name: "default" }));
  await client.create<Pod>({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name },
    spec: {
      restartPolicy: "Never",
      containers: [
        {
          name: "probe",
          image: "node:24",
          command: ["node", "/look/look.mjs"],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          volumeMounts: [{ name: "look", mountPath: "/look" }],
        },
      ],
      volumes: [{ name: "look", configMap: { name } }],
    },
  });
  const ref = { apiVersion: "v1", kind: "Pod", namespace, name };
  await eventually(
    async () => ["Succeeded", "Failed"].includes((await client.get<Pod>(ref)).status?.phase ?? ""),
    60_000,
  );
  const { body } = await client.raw({
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/pods/${name}/log`,
    headers: {},
  });
  return JSON.parse(await readText(body)) as Found;
}

function suite(whose: string, user?: User): void {
  describe(`a pod in a cluster ${whose}`, () => {
    let folder: ReturnType<typeof clusterFolder>;
    let running: Running;
    let found: Found;

    before(async () => {
      folder = clusterFolder({ "system.ts": description, "api/src/main.ts": greeter("api") });
      if (user) chownSync(folder.path, user.uid, user.gid);
      const [port, apiPort] = [await freePort(), await freePort()];
      running = new Running(folder.path, ["up", "--port", String(port), "--api-port", String(apiPort)], user);
      await running.said(/export KUBECONFIG=/);
      found = await lookAround(folder.path, [
        22,
        53,
        80,
        443,
        6443,
        8080,
        10_248,
        10_250,
        10_255,
        10_256,
        port,
        apiPort,
      ]);
    });
    after(async () => {
      await running[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    });

    test("may with its token what every ServiceAccount may, and nothing else", () => {
      const wanted = Object.fromEntries(Object.keys(found.api).map((what) => [what, allowed[what] ?? 403]));
      assert.deepEqual(found.api, wanted);
      assert.ok(Object.keys(wanted).length > 20);
    });

    test("reaches the API's Service, and no kubelet, no port of the machine, no address of a cloud", () => {
      assert.deepEqual(found.open, { "10.96.0.1": [443] });
    });

    test("sees no socket, no store and no key of the cluster", () => assert.deepEqual(found.files, ["/look/look.mjs"]));
  });
}

suite(process.getuid?.() === 0 ? "that root runs" : "that an ordinary user runs");
if (process.getuid?.() === 0) suite("that an ordinary user runs", nobody);
