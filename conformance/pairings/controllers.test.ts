// Kubernetes' own controller manager, scheduler and kubectl on a cluster of Dhow's whose own controllers are switched off.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { silent } from "@dhow/base";
import { type Cluster, defaultNodes, startCluster } from "@dhow/cluster";
import { writeImageTable } from "@dhow/development";
import type {
  CronJob,
  EndpointSlice,
  Endpoints,
  HorizontalPodAutoscaler,
  Job,
  Lease,
  Node,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  ReplicaSet,
  ResourceQuota,
  Secret,
} from "@dhow/kube";
import { eventually, realKubernetes } from "@dhow/testkit";
import { byText, fact, facts, idle, shell, shellPod, type Trial } from "../fact.ts";
import { allReady, workload } from "../behaviour/workload.ts";
import { Kubectl } from "../kubectl/kubectl.ts";
import { offerTarget, type Target } from "../target.ts";
import { applyBookMeUp, hostPathClass, loadBookMeUp, Person } from "./bookmeup.ts";
import { loadOn } from "./load.ts";
import { faultsIn } from "./program-log.ts";
import { type RealControllers, startRealControllers } from "./real-controllers.ts";

const { skip } = realKubernetes();

describe("Kubernetes' controllers on Dhow's API server", { skip, timeout: 280_000 }, () => {
  let home: string;
  let cluster: Cluster;
  let target: Target;
  let controllers: RealControllers;

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "dhow-controllers-"));
    const loaded = await loadBookMeUp();
    cluster = await startCluster({
      folder: join(home, "cluster"),
      system: "pairing",
      environment: "development",
      namespace: "default",
      detached: false,
      port: 0,
      httpsPort: 0,
      nodes: defaultNodes,
      controllers: [],
      reporter: silent,
      prepare: () => writeImageTable(join(home, "cluster/images.json"), loaded),
    });
    const ingress = `http://127.0.0.1:${cluster.ingressPort}`;
    const ingressTls = `https://127.0.0.1:${cluster.httpsPort}`;
    target = offerTarget({ kubeconfig: cluster.folder.kubeconfig, home, embedded: true, ingress, ingressTls });
    controllers = await startRealControllers(cluster, join(home, "controllers"));
    const { client } = target;
    // Dhow's own class is provided for by a controller of Dhow's.
    await client.delete({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", name: "standard" });
    await client.create(hostPathClass);
  });
  after(async () => {
    await controllers?.[Symbol.asyncDispose]();
    await cluster?.stop();
    if (cluster) rmSync(cluster.folder.sockets, { recursive: true, force: true });
    if (home) rmSync(home, { recursive: true, force: true });
  });

  facts(
    "their work",
    () => {
      fact("a Deployment rolls, is scaled in proportion, paused, undone", async (t) => {
        await t.create(workload("Deployment", "web", 3));
        await allReady(t, "web", 3);
        await t.kubectl.run`set env deployment/web VERSION=2`;
        await t.kubectl.run`rollout status deployment/web --timeout=60s`;
        await t.kubectl.run`rollout pause deployment/web`;
        await t.kubectl.run`set env deployment/web VERSION=3`;
        await t.kubectl.run`scale deployment/web --replicas=2`;
        await allReady(t, "web", 2);
        await t.kubectl.run`rollout resume deployment/web`;
        await t.kubectl.run`rollout status deployment/web --timeout=60s`;
        await t.kubectl.run`rollout undo deployment/web --to-revision=1`;
        await t.kubectl.run`rollout status deployment/web --timeout=60s`;
        const sets = await t.list<ReplicaSet>("apps/v1", "ReplicaSet");
        const revisions = sets.map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]);
        assert.deepEqual(revisions.sort(byText), ["2", "3", "4"]);
        assert.match(await t.kubectl.run`rollout history deployment/web`, /^2 .*\n3 .*\n4 /m);
      });

      fact(
        "a StatefulSet starts its pods in order, each with a claim of its own, and updates them from the last",
        async (t) => {
          const volumeClaimTemplates = [
            {
              metadata: { name: "data" },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
            },
          ];
          const container = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
          await t.create(workload("StatefulSet", "db", 2, { spec: { volumeClaimTemplates }, container }));
          const pods = await allReady(t, "db", 2);
          assert.deepEqual(pods.map(({ metadata }) => metadata.name).sort(byText), ["db-0", "db-1"]);
          const claims = await t.list<PersistentVolumeClaim>("v1", "PersistentVolumeClaim");
          assert.deepEqual(claims.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`).sort(byText), [
            "data-db-0 Bound",
            "data-db-1 Bound",
          ]);
          await t.kubectl.run`set env statefulset/db VERSION=2`;
          await t.kubectl.run`rollout status statefulset/db --timeout=60s`;
        },
      );

      fact("a Job runs to its completions and goes when its time is over", async (t) => {
        const template = { spec: { restartPolicy: "Never", containers: [shell("exit 0")] } };
        const spec = { completions: 3, parallelism: 2, ttlSecondsAfterFinished: 2, template };
        await t.create({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "sums" }, spec });
        const done = await eventually(async () => {
          const [job] = await t.list<Job>("batch/v1", "Job");
          return job?.status?.conditions?.some(({ type }) => type === "Complete") ? job : undefined;
        }, 60_000);
        assert.equal(done.status?.succeeded, 3);
        await eventually(async () => (await t.list("batch/v1", "Job")).length === 0);
        await eventually(async () => (await t.list("v1", "Pod")).length === 0);
      });

      fact("a CronJob makes a Job each minute", async (t) => {
        const template = { spec: { restartPolicy: "Never", containers: [shell("exit 0")] } };
        const spec = { schedule: "* * * * *", jobTemplate: { spec: { template } } };
        await t.create({ apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "tick" }, spec });
        await eventually(async () => {
          const { status } = await t.get<CronJob>("batch/v1", "CronJob", "tick");
          return status?.lastSuccessfulTime;
        }, 90_000);
      });

      fact("a DaemonSet has a pod on each node", async (t) => {
        await t.create(workload("DaemonSet", "agent", 0));
        const pods = await allReady(t, "agent", 2);
        assert.deepEqual(pods.map(({ spec }) => spec.nodeName).sort(byText), ["node-1", "node-2"]);
      });

      fact("what is owned goes with its owner, in the background, before it, or not at all", async (t) => {
        for (const [name, cascade, left] of [
          ["one", "background", 0],
          ["two", "foreground", 0],
          ["three", "orphan", 1],
        ] as const) {
          await t.create(workload("Deployment", name, 1));
          await allReady(t, name, 1);
          await t.kubectl.run`delete deployment/${name} --cascade=${cascade}`;
          await eventually(async () => (await t.list("apps/v1", "ReplicaSet", `app=${name}`)).length === left);
        }
      });

      fact("a Service's Endpoints and EndpointSlices are its ready pods", async (t) => {
        await t.create(workload("Deployment", "web", 2), {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "web" },
          spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
        });
        const addresses = (await allReady(t, "web", 2)).map(({ status }) => status?.podIP).sort(byText);
        await eventually(async () => {
          const [slice] = await t.list<EndpointSlice>("discovery.k8s.io/v1", "EndpointSlice");
          const { subsets } = await t.get<Endpoints>("v1", "Endpoints", "web");
          assert.deepEqual(slice?.endpoints?.flatMap((each) => each.addresses).sort(byText), addresses);
          assert.deepEqual(
            subsets
              ?.flatMap((each) => each.addresses ?? [])
              .map(({ ip }) => ip)
              .sort(byText),
            addresses,
          );
          return true;
        });
      });

      fact("a PodDisruptionBudget counts, and eviction keeps to it", async (t) => {
        await t.create(workload("Deployment", "web", 2), {
          apiVersion: "policy/v1",
          kind: "PodDisruptionBudget",
          metadata: { name: "web" },
          spec: { minAvailable: 2, selector: { matchLabels: { app: "web" } } },
        });
        const [pod] = await allReady(t, "web", 2);
        await eventually(async () => {
          const { status } = await t.get<PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "web");
          return status?.currentHealthy === 2 && status.disruptionsAllowed === 0;
        });
        const ref = { apiVersion: "v1", kind: "Pod", namespace: t.namespace, name: pod?.metadata.name ?? "" };
        const eviction = {
          apiVersion: "policy/v1",
          kind: "Eviction",
          metadata: { name: ref.name, namespace: t.namespace },
        };
        await assert.rejects(t.client.subresource(ref, "eviction", "POST", eviction), { code: 429 });
      });

      fact("a quota is counted again when what it counts has gone", async (t) => {
        await t.create({
          apiVersion: "v1",
          kind: "ResourceQuota",
          metadata: { name: "few" },
          spec: { hard: { pods: "1" } },
        });
        const used = async () => (await t.get<ResourceQuota>("v1", "ResourceQuota", "few")).status?.used?.["pods"];
        await eventually(async () => (await used()) === "0");
        await t.create(shellPod("one", idle));
        await assert.rejects(t.create(shellPod("two", idle)), /exceeded quota/);
        await t.kubectl.run`delete pod one`;
        await eventually(async () => (await used()) === "0");
      });

      fact("a namespace that ends takes everything with it", async (t) => {
        const name = `${t.namespace}-ends`;
        await t.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
        await t.kubectl.run`create configmap held --namespace ${name}`;
        await t.kubectl.run`create deployment web --image=busybox:1.37 --namespace ${name} -- sh -c ${idle}`;
        await t.kubectl.run`delete namespace ${name} --timeout=60s`;
        assert.equal(await t.client.find({ apiVersion: "v1", kind: "Namespace", name }), undefined);
      });

      fact("an autoscaler scales by what kubelets measure", async (t) => {
        const container = {
          ...shell("while :; do :; done"),
          resources: { requests: { cpu: "10m" }, limits: { cpu: "50m" } },
        };
        await t.create(workload("Deployment", "busy", 1, { container }), {
          apiVersion: "autoscaling/v2",
          kind: "HorizontalPodAutoscaler",
          metadata: { name: "busy" },
          spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "busy" },
            maxReplicas: 2,
            metrics: [
              { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
            ],
          },
        });
        await allReady(t, "busy", 2);
        const { status } = await t.get<HorizontalPodAutoscaler>("autoscaling/v2", "HorizontalPodAutoscaler", "busy");
        assert.equal(status?.conditions?.find(({ type }) => type === "ScalingActive")?.status, "True");
      });

      fact("the token that the controller manager puts into a Secret is the account's", async (t) => {
        await t.create({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "token", annotations: { "kubernetes.io/service-account.name": "default" } },
          type: "kubernetes.io/service-account-token",
        });
        const data = await eventually(async () => {
          const { data: filled } = await t.get<Secret>("v1", "Secret", "token");
          return filled?.["token"] ? filled : undefined;
        });
        const text = (name: string) => Buffer.from(data[name] ?? "", "base64").toString();
        assert.equal(text("namespace"), t.namespace);
        assert.match(text("ca.crt"), /^-----BEGIN CERTIFICATE-----/);
        const who = await t.kubectl.run`auth whoami --token ${text("token")} -o jsonpath={.status.userInfo.username}`;
        assert.equal(who, `system:serviceaccount:${t.namespace}:default`);
        const { metadata } = await t.get<Secret>("v1", "Secret", "token");
        assert.match(metadata.labels?.["kubernetes.io/legacy-token-last-used"] ?? "", /^\d{4}-\d\d-\d\d$/);
        await t.kubectl.run`delete secret token`;
        assert.match(await t.kubectl.refused`auth whoami --token ${text("token")}`, /Unauthorized|must be logged in/);
      });

      fact("an approved request for a certificate is signed, and the certificate is who it says", async (t) => {
        const key = join(t.target.home, `${t.namespace}.key`);
        const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        const request = execFileSync("openssl", ["req", ...curve, "-keyout", key, "-subj", "/O=people/CN=petra"], {
          stdio: ["ignore", "pipe", "ignore"],
        });
        const spec = {
          request: request.toString("base64"),
          signerName: "kubernetes.io/kube-apiserver-client",
          usages: ["client auth"],
        };
        const name = t.namespace;
        await t.client.create({
          apiVersion: "certificates.k8s.io/v1",
          kind: "CertificateSigningRequest",
          metadata: { name },
          spec,
        } as never);
        await t.kubectl.run`certificate approve ${name}`;
        const certificate = await eventually(async () => {
          const signed = await t.kubectl.run`get csr ${name} -o jsonpath={.status.certificate}`;
          return signed === "" ? undefined : signed;
        });
        const user = {
          "client-certificate-data": certificate,
          "client-key-data": readFileSync(key).toString("base64"),
        };
        assert.equal(await whoIs(t, user), "petra");
      });

      fact("a node that falls silent is tainted, and its pods are driven out", async (t) => {
        const name = `${t.namespace}-silent`;
        const now = new Date().toISOString().replace("Z", "000Z");
        const taints = [{ key: "silent", effect: "NoSchedule" as const }];
        const metadata = { name, labels: { silent: name } };
        const podCIDR = "10.244.200.0/24";
        await t.client.create<Node>({ apiVersion: "v1", kind: "Node", metadata, spec: { taints, podCIDR } });
        const capacity = { cpu: "1", memory: "1Gi", pods: "10" };
        const ready = {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          lastHeartbeatTime: `${now.slice(0, 19)}Z`,
          lastTransitionTime: `${now.slice(0, 19)}Z`,
        };
        const status = { capacity, allocatable: capacity, conditions: [ready] };
        const ref = { apiVersion: "v1", kind: "Node", name };
        await t.client.patch(ref, "strategic", { status }, { subresource: "status" });
        const lease = {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name, namespace: "kube-node-lease" },
          spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: now },
        } as Lease;
        await t.client.create(lease);
        const tolerations = [
          { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 0 },
          { key: "silent", operator: "Exists" },
        ];
        await t.create(shellPod("stranded", idle, { spec: { nodeSelector: { silent: name }, tolerations } }));
        await eventually(async () => (await t.pod("stranded")).spec.nodeName === name);
        await eventually(async () => (await t.pod("stranded")).metadata.deletionTimestamp, 60_000);
        const node = await t.client.get<Node>(ref);
        assert.equal(node.status?.conditions?.find(({ type }) => type === "Ready")?.status, "Unknown");
        assert.ok(
          node.spec?.taints?.some(
            ({ key, effect }) => key === "node.kubernetes.io/unreachable" && effect === "NoExecute",
          ),
        );
        // Nobody is there to say that it has ended.
        await t.kubectl.run`delete pod stranded --force --grace-period=0`;
        await t.client.delete(ref);
      });
    },
    14,
  );

  describe("BookMeUp", () => {
    it("runs, serves a person, and is rolled without losing a request", async () => {
      const { client, kubeconfig, ingress } = target;
      const kubectl = new Kubectl({ kubeconfig, namespace: "bookmeup", home });
      await applyBookMeUp(kubeconfig);
      const provider = await Person.register(ingress, "Paula Provider");
      const customer = await Person.register(ingress, "Carl Customer");
      const booking = await customer.book(await provider.publish("Haircut"));
      const stop = loadOn(`${ingress}/auth/health`);
      await kubectl.run`rollout restart deployment/auth-service`;
      await kubectl.run`rollout status deployment/auth-service --timeout=60s`;
      const { answered, failures } = await stop();
      assert.deepEqual(failures, []);
      assert.ok(answered > 20, `${answered} requests`);
      assert.deepEqual(await customer.bookings(), [booking]);
      const namespace = { apiVersion: "v1", kind: "Namespace", name: "bookmeup" };
      await kubectl.run`delete namespace bookmeup --timeout=80s`;
      assert.equal(await client.find(namespace), undefined);
    });
  });

  it("they find no fault with it", () => {
    for (const program of ["kube-controller-manager", "kube-scheduler"]) {
      assert.match(controllers.log(program), /successfully acquired lease/i);
      assert.deepEqual(faultsIn(controllers.log(program)), [], program);
    }
  });
});

/** The name under which the API server knows whoever shows these credentials. */
async function whoIs(t: Trial, user: object): Promise<string> {
  const config = JSON.parse(readFileSync(t.target.kubeconfig, "utf8")) as { users: { user: object }[] };
  for (const one of config.users) one.user = user;
  const file = join(t.target.home, `${t.namespace}.kubeconfig`);
  writeFileSync(file, JSON.stringify(config));
  const kubectl = new Kubectl({ kubeconfig: file, namespace: t.namespace, home: t.target.home });
  return kubectl.run`auth whoami -o jsonpath={.status.userInfo.username}`;
}
