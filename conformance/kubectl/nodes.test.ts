import assert from "node:assert/strict";
import type { Node, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { idle, kubectlFacts, shell, shellPod, type Trial } from "../fact.ts";

/** Nodes belong to everybody: what changes them is tried one after another. */
const oneByOne = 1;

async function someNode(t: Trial): Promise<string> {
  return (await t.kubectl.run`get nodes -o ${"jsonpath={.items[0].metadata.name}"}`).trim();
}

function pinned(name: string, node: string, replicas: number) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": node },
          terminationGracePeriodSeconds: 1,
          containers: [shell(idle)],
        },
      },
    },
  };
}

kubectlFacts(
  "nodes",
  (fact) => {
    fact("cordon keeps new pods away, uncordon lets them in", async (t) => {
      const node = await someNode(t);
      try {
        assert.equal(await t.kubectl.run`cordon ${node}`, `node/${node} cordoned\n`);
        assert.equal(await t.kubectl.run`cordon ${node}`, `node/${node} already cordoned\n`);
        assert.match(await t.kubectl.run`get node ${node} --no-headers`, /Ready,SchedulingDisabled/);
        const { spec } = await t.client.get<Node>({ apiVersion: "v1", kind: "Node", name: node });
        assert.equal(spec?.unschedulable, true);
        assert.ok(
          (
            await eventually(
              async () => (await t.client.get<Node>({ apiVersion: "v1", kind: "Node", name: node })).spec?.taints,
            )
          ).some(({ key, effect }) => key === "node.kubernetes.io/unschedulable" && effect === "NoSchedule"),
        );
        await t.create(shellPod("one", idle, { spec: { nodeSelector: { "kubernetes.io/hostname": node } } }));
        const said = await eventually(async () =>
          (await t.pod("one")).status?.conditions?.find(({ type }) => type === "PodScheduled"),
        );
        assert.deepEqual([said.status, said.reason], ["False", "Unschedulable"]);
        assert.match(said.message ?? "", /^0\/\d nodes are available: .*1 node\(s\) were unschedulable/);
      } finally {
        assert.equal(await t.kubectl.run`uncordon ${node}`, `node/${node} uncordoned\n`);
      }
      await t.ready("one");
    });

    fact("taint keeps away what does not tolerate it; NoExecute drives it out", async (t) => {
      const node = await someNode(t);
      const selector = { nodeSelector: { "kubernetes.io/hostname": node } };
      const tolerations = [{ key: "example.org/only", operator: "Exists" }];
      await t.create(
        shellPod("stays", idle, { spec: { ...selector, tolerations } }),
        shellPod("goes", idle, { spec: selector }),
      );
      await Promise.all([t.ready("stays"), t.ready("goes")]);
      try {
        assert.equal(
          await t.kubectl.run`taint node ${node} example.org/only=${t.namespace}:NoExecute`,
          `node/${node} tainted\n`,
        );
        await t.kubectl.run`wait --for=delete pod/goes --timeout=60s`;
        assert.equal((await t.pod("stays")).status?.phase, "Running");
        assert.match(
          await t.kubectl.refused`taint node ${node} example.org/only=other:NoExecute`,
          /already has example.org\/only taint\(s\) with same effect\(s\) and --overwrite is false/,
        );
      } finally {
        assert.equal(await t.kubectl.run`taint node ${node} example.org/only-`, `node/${node} untainted\n`);
      }
    });

    fact("drain evicts as far as the budget allows, and ends when the pods run elsewhere", async (t) => {
      const node = await someNode(t);
      await t.create(pinned("web", node, 2), {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "web" },
        spec: { minAvailable: 2, selector: { matchLabels: { app: "web" } } },
      });
      await t.kubectl.run`rollout status deployment/web --timeout=60s`;
      await eventually(async () => (await t.kubectl.run`get pdb web -o jsonpath={.status.currentHealthy}`) === "2");
      try {
        const { code, stderr } = await t.kubectl
          .answer`drain ${node} --ignore-daemonsets --delete-emptydir-data --force --pod-selector=app=web --timeout=4s`;
        assert.notEqual(code, 0);
        assert.match(stderr, /Cannot evict pod as it would violate the pod's disruption budget\./);
        assert.equal((await t.list<Pod>("v1", "Pod")).filter(({ metadata }) => !metadata.deletionTimestamp).length, 2);
        await t.kubectl.run`delete pdb web`;
        const said = await t.kubectl
          .run`drain ${node} --ignore-daemonsets --delete-emptydir-data --pod-selector=app=web --timeout=60s`;
        assert.match(said, /pod\/web-\S+ evicted\n[\s\S]*node\/\S+ drained\n/);
      } finally {
        await t.kubectl.run`uncordon ${node}`;
      }
      await t.kubectl.run`rollout status deployment/web --timeout=60s`;
    });

    fact("drain refuses pods with local data unless told", async (t) => {
      const node = await someNode(t);
      const spec = { nodeSelector: { "kubernetes.io/hostname": node }, volumes: [{ name: "data", emptyDir: {} }] };
      await t.create(shellPod("alone", idle, { spec, labels: { drain: "me" } }));
      await t.ready("alone");
      try {
        const said = await t.kubectl.refused`drain ${node} --ignore-daemonsets --pod-selector=drain=me`;
        assert.match(
          said,
          /cannot delete Pods with local storage \(use --delete-emptydir-data to override\): \S+\/alone/,
        );
        await t.kubectl
          .run`drain ${node} --ignore-daemonsets --delete-emptydir-data --force --pod-selector=drain=me --timeout=60s`;
        assert.match(await t.kubectl.refused`get pod alone`, /NotFound/);
      } finally {
        await t.kubectl.run`uncordon ${node}`;
      }
    });

    fact("top shows what nodes and pods use", async (t) => {
      await t.create(
        shellPod("busy", "trap 'exit 0' TERM; while :; do for i in 1 2 3 4 5 6 7 8 9; do :; done; sleep 0.01; done"),
      );
      await t.ready("busy");
      const pods = await eventually(
        async () => {
          const { code, stdout } = await t.kubectl.answer`top pod busy`;
          return code === 0 && / [1-9]\d*m /.test(stdout) ? stdout : undefined;
        },
        90_000,
        1000,
      );
      assert.match(pods, /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nbusy +\d+m +\d+Mi *\n$/);
      assert.match(
        await t.kubectl.run`top pod busy --containers`,
        /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nbusy +main +/,
      );
      assert.match(
        await t.kubectl.run`top node`,
        /^NAME +CPU\(cores\) +CPU(\(%\)|%) +MEMORY\(bytes\) +MEMORY(\(%\)|%) *\n\S+ +\d+m +\d+% +\d+Mi +\d+%/,
      );
    });

    fact("get nodes prints role, age and version, -o wide addresses and runtime", async (t) => {
      const [head, row] = (await t.kubectl.run`get nodes -o wide`).split("\n");
      assert.match(
        head ?? "",
        /^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME$/,
      );
      assert.match(row ?? "", /^\S+ +Ready +\S+ +\S+ +v1\.36\.\S+ +10\.250\.0\.\d+ +<none> +/);
    });

    fact("describe node shows conditions, capacity and what is requested of it", async (t) => {
      const said = await t.kubectl.run`describe node ${await someNode(t)}`;
      for (const part of [
        /^Taints: +<none>$/m,
        /^Unschedulable: +false$/m,
        /^ {2}Ready +True .* KubeletReady /m,
        /^Allocatable:\n {2}cpu: /m,
        /^Non-terminated Pods: /m,
        /^Allocated resources:\n/m,
      ]) {
        assert.match(said, part);
      }
    });
  },
  oneByOne,
);
