// Dhow's agent in a cluster that a real Kubernetes controls: the API server, the controllers and the scheduler are Kubernetes' own.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ChildProcess } from "node:child_process";
import { request } from "node:https";
import { join } from "node:path";
import {
  type Deployment,
  httpTransport,
  KubeClient,
  loadKubeconfig,
  type Node,
  type Pod,
  type Secret,
} from "@dhow/kube";
import { eventually, realKubernetes } from "@dhow/testkit";
import { byText } from "../fact.ts";
import { Kubectl } from "../kubectl/kubectl.ts";
import { applyBookMeUp, hostPathClass, Person } from "./bookmeup.ts";
import { type Joined, joinNodes, ownAddress } from "./joined-nodes.ts";
import { loadOn } from "./load.ts";
import { startMetricsServer } from "./metrics-server.ts";
import { faultsIn } from "./program-log.ts";
import { type RealControlPlane, startRealControlPlane } from "./real-control-plane.ts";
import { acceptedEverywhere } from "./accepted.ts";

const namespace = "bookmeup";
const { skip } = realKubernetes();
const noAddress = ownAddress ? false : "root gives this machine an address that an API server's proxies accept";

describe("a real control plane", { skip, timeout: 280_000 }, () => {
  let control: RealControlPlane;
  let transport: ReturnType<typeof httpTransport>;
  let client: KubeClient;
  let joined: Joined;
  let kubectl: Kubectl;
  let metricsServer: ChildProcess | undefined;
  let applied: string;

  before(async () => {
    control = await startRealControlPlane();
    transport = httpTransport(loadKubeconfig(control.kubeconfig));
    client = new KubeClient(transport);
    kubectl = new Kubectl({ kubeconfig: control.kubeconfig, namespace, home: control.folder });
    await client.create(hostPathClass);
    joined = await joinNodes(client, control.kubeconfig);
    if (ownAddress) {
      const folder = join(control.folder, "metrics-server");
      const where = { client, administrator: control.kubeconfig, address: ownAddress, port: 20_443, folder };
      metricsServer = await startMetricsServer(where);
    }
    applied = await applyBookMeUp(control.kubeconfig);
  });
  after(async () => {
    metricsServer?.kill();
    await joined?.[Symbol.asyncDispose]();
    transport?.close();
    await control?.[Symbol.asyncDispose]();
  });

  const pods = async (app: string) => {
    const { items } = await client.list<Pod>(
      { apiVersion: "v1", kind: "Pod", namespace },
      { labelSelector: `app=${app}` },
    );
    return items.filter(({ metadata }) => !metadata.deletionTimestamp);
  };
  const deployment = (name: string) =>
    client.get<Deployment>({ apiVersion: "apps/v1", kind: "Deployment", namespace, name });

  describe("with Dhow's agent as its nodes", () => {
    it("takes BookMeUp by dhow apply --kubeconfig, which ends when all of it is ready", async () => {
      const [heading, ...lines] = applied.trimEnd().split("\n");
      assert.equal(heading, "bookmeup · development · namespace bookmeup");
      const { items } = await client.list<Deployment>({ apiVersion: "apps/v1", kind: "Deployment", namespace });
      assert.equal(items.length, 5);
      for (const { metadata, spec, status } of items) {
        assert.equal(status?.availableReplicas, spec?.replicas, metadata.name);
        assert.ok(
          lines.some((line) =>
            new RegExp(`^ *${metadata.name} +● ready .* ${spec?.replicas}/${spec?.replicas}`).test(line),
          ),
          applied,
        );
      }
    });

    it("is brought there a second time, which starts nothing anew and leaves the generated secrets; what is described no longer goes", async () => {
      const secret = { apiVersion: "v1", kind: "Secret", namespace, name: "bookmeup-secrets" };
      const state = async () => {
        const { items } = await client.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace });
        return {
          pods: items.map(({ metadata }) => metadata.uid).sort(byText),
          secret: (await client.get<Secret>(secret)).data,
        };
      };
      const before = await state();
      const labels = { "app.kubernetes.io/managed-by": "dhow" };
      const stray = {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace, name: "stray", labels },
        spec: { ports: [{ port: 80 }] },
      };
      await client.apply(stray, { fieldManager: "dhow", force: true });
      await client.create({ ...stray, metadata: { namespace, name: "of-others" } });
      await applyBookMeUp(control.kubeconfig);
      assert.deepEqual(await state(), before);
      const { items } = await client.list({ apiVersion: "v1", kind: "Service", namespace });
      const names = items.map(({ metadata }) => metadata.name);
      assert.ok(!names.includes("stray") && names.includes("of-others"), names.join(", "));
    });

    it("schedules BookMeUp onto both", async () => {
      const { items: nodes } = await client.list<Node>({ apiVersion: "v1", kind: "Node" });
      assert.deepEqual(nodes.map(({ metadata }) => metadata.name).sort(byText), ["node-1", "node-2"]);
      for (const { status } of nodes) {
        assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
        assert.match(status?.nodeInfo?.containerRuntimeVersion ?? "", /^dhow:/);
      }
      for (const app of ["auth-service", "db-service", "logic-service"]) {
        const places = (await pods(app)).map(({ spec }) => spec.nodeName).sort(byText);
        assert.deepEqual(places, ["node-1", "node-2"], app);
      }
      const owner = (await pods("auth-service"))[0]?.metadata.managedFields?.find(({ subresource }) => !subresource);
      assert.equal(owner?.manager, "kube-controller-manager");
    });

    it("serves a person through Dhow's ingress, who registers, publishes and books", async () => {
      const provider = await Person.register(joined.url, "Paula Provider");
      const service = await provider.publish("Haircut");
      const customer = await Person.register(joined.url, "Carl Customer");
      const booking = await customer.book(service);
      assert.deepEqual(await customer.bookings(), [booking]);
    });

    it("reaches pods for kubectl logs, exec and port-forward", async () => {
      assert.match(await kubectl.run`logs deployment/auth-service --tail=20`, /"message":"listening"/);
      assert.equal(await kubectl.run`exec deployment/auth-service -- node -p ${"6 * 7"}`, "42\n");
      assert.equal(await kubectl.fed("through").run`exec -i deployment/auth-service -- cat`, "through");
      const refused = await kubectl.answer`exec deployment/auth-service -- sh -c ${"exit 7"}`;
      assert.equal(refused.code, 7);
      const [pod] = await pods("logic-service");
      await using forward = kubectl.start`port-forward pod/${pod?.metadata.name} :5002`;
      const port = await eventually(() => /127\.0\.0\.1:(\d+) ->/.exec(forward.stdout)?.[1]);
      const health = await fetch(`http://127.0.0.1:${port}/health`);
      assert.deepEqual(await health.json(), { status: "healthy" });
    });

    it("lets the API server into a kubelet, and others as they may", async () => {
      const stranger = { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name: "stranger" } };
      await client.create(stranger);
      const token = (await kubectl.run`create token stranger`).trim();
      const node = await client.get<Node>({ apiVersion: "v1", kind: "Node", name: "node-1" });
      const kubelet = { host: joined.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0 };
      assert.deepEqual(await askKubelet(kubelet, "/pods"), { status: 401, text: "Unauthorized\n" });
      assert.deepEqual(await askKubelet(kubelet, "/pods", "nonsense"), { status: 401, text: "Unauthorized\n" });
      assert.deepEqual(await askKubelet(kubelet, "/pods", token), {
        status: 403,
        text: `Forbidden (user=system:serviceaccount:${namespace}:stranger, verb=get, resource=nodes, subresource(s)=[pods proxy])\n`,
      });
      const { status, text } = await askKubelet(kubelet, "/pods", "admin-token");
      assert.equal(status, 200);
      const names = (JSON.parse(text) as { items: Pod[] }).items.map(({ spec }) => spec.nodeName);
      assert.deepEqual([...new Set(names)], ["node-1"]);
    });

    it("answers an API server's proxy to the kubelet", { skip: noAddress }, async () => {
      assert.equal(await kubectl.run`get --raw /api/v1/nodes/node-1/proxy/healthz`, "ok");
    });

    it("is scaled, rolled and rolled back by Kubernetes' controllers, and no request is lost", async () => {
      const stop = loadOn(`${joined.url}/auth/health`);
      await kubectl.run`scale deployment/auth-service --replicas=4`;
      await kubectl.run`rollout status deployment/auth-service --timeout=60s`;
      assert.equal((await pods("auth-service")).length, 4);
      await kubectl.run`scale deployment/auth-service --replicas=2`;
      await eventually(async () => (await pods("auth-service")).length === 2);
      const before = (await deployment("auth-service")).metadata.annotations?.["deployment.kubernetes.io/revision"];
      await kubectl.run`set env deployment/auth-service VERSION=2`;
      await kubectl.run`rollout status deployment/auth-service --timeout=90s`;
      assert.equal(await kubectl.run`exec deployment/auth-service -- printenv VERSION`, "2\n");
      await kubectl.run`rollout undo deployment/auth-service`;
      await kubectl.run`rollout status deployment/auth-service --timeout=90s`;
      const revision = (await deployment("auth-service")).metadata.annotations?.["deployment.kubernetes.io/revision"];
      assert.equal(Number(revision), Number(before) + 2);
      const { answered, failures } = await stop();
      assert.deepEqual(failures, []);
      assert.ok(answered > 100, `${answered} requests`);
    });

    it("is drained, keeps what PostgreSQL stored, and is used again", async () => {
      const customer = await Person.register(joined.url, "Dora Customer");
      const booking = await customer.book(await customer.publish("Massage"));
      const place = (await pods("postgres"))[0]?.spec.nodeName ?? "";
      await kubectl.run`drain ${place} --ignore-daemonsets --delete-emptydir-data --timeout=90s`;
      await kubectl.run`wait deployment --all --for=condition=Available --timeout=90s`;
      const { items } = await client.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace });
      assert.ok(items.every(({ spec }) => spec.nodeName !== place));
      await eventually(async () => assert.deepEqual(await customer.bookings(), [booking]) ?? true);
      await kubectl.run`uncordon ${place}`;
    });

    it("tells metrics-server what pods use: kubectl top", { skip: noAddress }, async () => {
      await eventually(async () => {
        const { code, stdout, stderr } = await kubectl.answer`top pods --no-headers`;
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^postgres-\S+ +\d+m +\d+Mi/m);
        return true;
      }, 60_000);
      assert.match(await kubectl.run`top nodes --no-headers`, /^node-1 +\d+m +\d+% +\d+Mi/m);
    });

    it("runs under controllers that find no fault with it", () => {
      assert.deepEqual(faultsIn(control.log("kube-controller-manager")), []);
      assert.deepEqual(faultsIn(control.log("kube-scheduler")), []);
    });
  });

  acceptedEverywhere(() => ({ client, kubectl }));
});

/** Asks as whoever has this token; with no certificate. */
function askKubelet(where: { host: string; port: number }, path: string, token?: string) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const sent = request({ ...where, path, headers, rejectUnauthorized: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}
