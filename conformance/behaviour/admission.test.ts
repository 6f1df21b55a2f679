import assert from "node:assert/strict";
import { isStatusError, type LimitRange, type Pod, type ResourceQuota } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, shell, shellPod, type Trial, refusal } from "../fact.ts";
import { condition, workload } from "./workload.ts";

const quota = (hard: Record<string, string>, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "small" },
  spec: { hard, ...more },
});
const limits = (limit: object) => ({
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name: "limits" },
  spec: { limits: [{ type: "Container", ...limit }] },
});
const never = { nodeSelector: { "example.org/none": "such" } };

async function counted(t: Trial): Promise<ResourceQuota> {
  return eventually(async () => {
    const found = await t.get<ResourceQuota>("v1", "ResourceQuota", "small");
    return found.status?.hard ? found : undefined;
  });
}

facts("ResourceQuota", () => {
  fact("what would exceed a quota is refused, with what is asked, used and limited", async (t) => {
    await t.create(quota({ configmaps: "2" }));
    // kube-root-ca.crt, which every namespace gets in a moment, is counted too.
    await eventually(
      async () => (await t.get<ResourceQuota>("v1", "ResourceQuota", "small")).status?.used?.["configmaps"] === "1",
    );
    await t.kubectl.run`create configmap one`;
    const said = await t.kubectl.refused`create configmap two`;
    assert.equal(
      said,
      'error: failed to create configmap: configmaps "two" is forbidden: exceeded quota: small, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
    );
  });

  fact("a quota holds when many create at once", async (t) => {
    await t.create(quota({ "count/secrets": "5" }));
    await counted(t);
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        t.create({ apiVersion: "v1", kind: "Secret", metadata: { name: `s-${index}` } }),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === "fulfilled").length, 5);
    assert.equal((await t.list("v1", "Secret")).length, 5);
    for (const answer of answers)
      if (answer.status === "rejected") assert.ok(isStatusError(answer.reason, "Forbidden"), String(answer.reason));
  });

  fact("a quota on requests asks every container for them", async (t) => {
    await t.create(quota({ "requests.cpu": "500m", "limits.memory": "1Gi" }));
    await counted(t);
    const without = await refusal(t.create(shellPod("one", idle)));
    assert.match(
      without.message,
      /failed quota: small: must specify limits\.memory for: main; requests\.cpu for: main$/,
    );
    const sized = (cpu: string) => ({
      container: { resources: { requests: { cpu }, limits: { memory: "128Mi" } } },
      spec: never,
    });
    await t.create(shellPod("one", idle, sized("300m")));
    const more = await refusal(t.create(shellPod("two", idle, sized("300m"))));
    assert.match(
      more.message,
      /pods "two" is forbidden: exceeded quota: small, requested: requests\.cpu=300m, used: requests\.cpu=300m, limited: requests\.cpu=500m$/,
    );
  });

  fact("what ends is given back", async (t) => {
    await t.create(quota({ pods: "1" }));
    await counted(t);
    await t.create(shellPod("one", "true", { spec: { restartPolicy: "Never" } }));
    await t.ended("one");
    await eventually(
      async () => (await t.get<ResourceQuota>("v1", "ResourceQuota", "small")).status?.used?.["pods"] === "0",
    );
    await t.create(shellPod("two", idle, { spec: never }));
  });

  fact("a deployment beyond the quota says so in its condition ReplicaFailure", async (t) => {
    await t.create(quota({ pods: "1" }));
    await counted(t);
    await t.create(workload("Deployment", "web", 2));
    const found = await eventually(async () =>
      condition(await t.get("apps/v1", "Deployment", "web"), "ReplicaFailure"),
    );
    assert.deepEqual([found.status, found.reason], ["True", "FailedCreate"]);
    assert.match(found.message ?? "", /exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1/);
  });

  fact("a scoped quota counts only what is in its scope", async (t) => {
    await t.create(quota({ pods: "0" }, { scopes: ["BestEffort"] }));
    await counted(t);
    assert.match((await refusal(t.create(shellPod("one", idle, { spec: never })))).message, /exceeded quota: small/);
    await t.create(shellPod("two", idle, { spec: never, container: { resources: { requests: { cpu: "1m" } } } }));
  });
});

facts("LimitRange", () => {
  fact("gives containers its defaults, requests from limits", async (t) => {
    await t.create(limits({ default: { cpu: "200m", memory: "64Mi" }, defaultRequest: { cpu: "100m" } }));
    const pod = await eventually(async () => {
      const created = await t.create<Pod>(shellPod("one", idle, { spec: never }));
      if (created.spec?.containers[0]?.resources?.limits) return created;
      await t.kubectl.run`delete pod one`;
      return undefined;
    });
    assert.deepEqual(pod.spec?.containers[0]?.resources, {
      limits: { cpu: "200m", memory: "64Mi" },
      requests: { cpu: "100m", memory: "64Mi" },
    });
    assert.equal(
      pod.metadata.annotations?.["kubernetes.io/limit-ranger"],
      "LimitRanger plugin set: cpu request for container main; memory request for container main; cpu, memory limit for container main".replace(
        "cpu request for container main; memory request",
        "cpu, memory request",
      ),
    );
  });

  fact("refuses what is above its maximum or below its minimum, all of it at once", async (t) => {
    await t.create(limits({ max: { memory: "64Mi" }, min: { cpu: "50m" } }));
    const asking = shellPod("one", idle, {
      spec: never,
      container: { resources: { requests: { cpu: "10m", memory: "128Mi" }, limits: { cpu: "10m", memory: "128Mi" } } },
    });
    const said = await eventually(async () => {
      const error = await refusal(
        t.client.create({ ...asking, metadata: { ...asking.metadata, namespace: t.namespace } }, { dryRun: "All" }),
      );
      return error;
    });
    assert.match(
      said.message,
      /pods "one" is forbidden: \[minimum cpu usage per Container is 50m, but request is 10m, maximum memory usage per Container is 64Mi, but limit is 128Mi\]/,
    );
    assert.equal((await t.get<LimitRange>("v1", "LimitRange", "limits")).spec?.limits[0]?.type, "Container");
  });
});

const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
const enforce = (level: string) => ({ labels: { "pod-security.kubernetes.io/enforce": level } });

facts("Pod Security", () => {
  fact(
    "restricted refuses an ordinary pod, and names every fault",
    async (t) => {
      const said = await refusal(t.create(shellPod("one", idle)));
      assert.equal(
        said.message,
        'pods "one" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      );
      await t.create(shellPod("two", idle, { container: { securityContext: restricted }, spec: never }));
    },
    enforce("restricted"),
  );

  fact(
    "baseline refuses host access and privileges, and lets the rest pass",
    async (t) => {
      const privileged = await refusal(
        t.create(shellPod("one", idle, { container: { securityContext: { privileged: true } } })),
      );
      assert.equal(
        privileged.message,
        'pods "one" is forbidden: violates PodSecurity "baseline:latest": privileged (container "main" must not set securityContext.privileged=true)',
      );
      const host = await refusal(
        t.create(
          shellPod("one", idle, {
            spec: { hostNetwork: true, hostPID: true, volumes: [{ name: "h", hostPath: { path: "/" } }] },
          }),
        ),
      );
      assert.equal(
        host.message,
        'pods "one" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "h")',
      );
      await t.create(shellPod("two", idle, { spec: never }));
    },
    enforce("baseline"),
  );

  fact(
    "a deployment is let in with a warning; its pods are refused",
    async (t) => {
      const { stdout, stderr } = await t.kubectl.fed(workload("Deployment", "web", 1)).answer`apply -f -`;
      assert.equal(stdout, "deployment.apps/web created\n");
      assert.match(
        stderr,
        /^Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
      );
      const found = await eventually(async () =>
        condition(await t.get("apps/v1", "Deployment", "web"), "ReplicaFailure"),
      );
      assert.match(found.message ?? "", /violates PodSecurity "restricted:latest"/);
    },
    { labels: { "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted" } },
  );

  fact("a namespace is not labelled with a level that there is not", async (t) => {
    assert.match(
      await t.kubectl.refused`label namespace ${t.namespace} pod-security.kubernetes.io/enforce=strict`,
      /Invalid value: "strict": must be one of privileged, baseline, restricted/,
    );
  });
});

facts("PriorityClass and defaults", () => {
  fact("a pod's priority comes from its class, and an unknown class is refused", async (t) => {
    const name = `${t.namespace}-high`;
    await t.client.create({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value: 1000,
    });
    try {
      const pod = await eventually(() =>
        t.create<Pod>(shellPod("one", idle, { spec: { ...never, priorityClassName: name } })).catch(() => undefined),
      );
      assert.equal(pod.spec?.priority, 1000);
      const said = await refusal(t.create(shellPod("two", idle, { spec: { priorityClassName: "none" } })));
      assert.equal(said.message, 'pods "two" is forbidden: no PriorityClass with name none was found');
    } finally {
      await t.client.delete({ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", name });
    }
  });

  fact("a pod gets the defaults of a real cluster", async (t) => {
    const { spec } = await t.create<Pod>({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "one" },
      spec: { ...never, containers: [shell("true")] },
    });
    assert.deepEqual(
      [
        spec?.restartPolicy,
        spec?.dnsPolicy,
        spec?.serviceAccountName,
        spec?.schedulerName,
        spec?.terminationGracePeriodSeconds,
        spec?.enableServiceLinks,
        spec?.preemptionPolicy,
      ],
      ["Always", "ClusterFirst", "default", "default-scheduler", 30, true, "PreemptLowerPriority"],
    );
    assert.deepEqual(spec?.tolerations, [
      { effect: "NoExecute", key: "node.kubernetes.io/not-ready", operator: "Exists", tolerationSeconds: 300 },
      { effect: "NoExecute", key: "node.kubernetes.io/unreachable", operator: "Exists", tolerationSeconds: 300 },
    ]);
    assert.match(spec?.volumes?.[0]?.name ?? "", /^kube-api-access-[a-z0-9]{5}$/);
    const [container] = spec?.containers ?? [];
    assert.deepEqual(
      [container?.imagePullPolicy, container?.terminationMessagePath, container?.terminationMessagePolicy],
      ["IfNotPresent", "/dev/termination-log", "File"],
    );
  });

  fact("a pod with a missing service account is refused", async (t) => {
    const said = await refusal(t.create(shellPod("one", idle, { spec: { serviceAccountName: "none" } })));
    assert.equal(
      said.message,
      `pods "one" is forbidden: error looking up service account ${t.namespace}/none: serviceaccount "none" not found`,
    );
  });
});

facts("scheduling", () => {
  fact("a pod that fits nowhere stays Pending and says why", async (t) => {
    await t.create(
      shellPod("huge", idle, { container: { resources: { requests: { cpu: "1000" } } } }),
      shellPod("picky", idle, { spec: never }),
    );
    const message = (name: string) => eventually(async () => condition(await t.pod(name), "PodScheduled")?.message);
    assert.match(await message("huge"), /^0\/\d+ nodes are available: \d+ Insufficient cpu\./);
    assert.match(
      await message("picky"),
      /^0\/\d+ nodes are available: \d+ node\(s\) didn't match Pod's node affinity\/selector\./,
    );
  });

  fact("a pod with a scheduling gate is not scheduled before it is taken away", async (t) => {
    await t.create(shellPod("gated", idle, { spec: { schedulingGates: [{ name: "example.org/wait" }] } }));
    assert.match(await t.kubectl.run`get pod gated --no-headers`, /SchedulingGated/);
    await t.kubectl.run`patch pod gated --type=json -p ${'[{"op":"remove","path":"/spec/schedulingGates"}]'}`;
    await t.ready("gated");
  });

  fact("required anti-affinity never puts two on one node", async (t) => {
    const affinity = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
        ],
      },
    };
    const nodes = (await t.client.list({ apiVersion: "v1", kind: "Node" })).items.length;
    await t.create(workload("Deployment", "web", nodes + 1, { pod: { affinity } }));
    const pods = await eventually(async () => {
      const found = await t.list<Pod>("v1", "Pod");
      return found.filter(({ spec }) => spec?.nodeName).length === nodes && found.length === nodes + 1
        ? found
        : undefined;
    });
    const placed = pods.map(({ spec }) => spec?.nodeName).filter((node) => node !== undefined);
    assert.equal(new Set(placed).size, nodes);
    const left = pods.find(({ spec }) => !spec?.nodeName);
    await eventually(async () =>
      /didn't match pod anti-affinity rules/.test(
        condition(await t.pod(left?.metadata.name ?? ""), "PodScheduled")?.message ?? "",
      ),
    );
  });

  fact("a pod of higher priority drives out lower ones where there is no room", async (t) => {
    const name = `${t.namespace}-high`;
    await t.client.create({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value: 100_000,
    });
    const node = (await t.client.list({ apiVersion: "v1", kind: "Node" })).items[0];
    const status = node?.["status"] as { allocatable?: Record<string, string> } | undefined;
    const most = status?.allocatable?.["cpu"] ?? "0";
    const milli = most.endsWith("m") ? parseInt(most, 10) : parseInt(most, 10) * 1000;
    const half = `${Math.floor(milli * 0.6)}m`;
    const pinned = { nodeSelector: { "kubernetes.io/hostname": node?.metadata.name } };
    try {
      await t.create(shellPod("low", idle, { spec: pinned, container: { resources: { requests: { cpu: half } } } }));
      await t.ready("low");
      await eventually(() =>
        t
          .create(
            shellPod("high", idle, {
              spec: { ...pinned, priorityClassName: name },
              container: { resources: { requests: { cpu: half } } },
            }),
          )
          .catch(() => undefined),
      );
      await t.ready("high");
      await eventually(async () => (await t.list("v1", "Pod")).length === 1);
    } finally {
      await t.client.delete({ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", name });
    }
  });
});
