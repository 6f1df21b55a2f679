import assert from "node:assert/strict";
import type { Deployment, EndpointSlice, Job, Pod, ReplicaSet, StatefulSet } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, idle, isReady, nodeImage, shell, type Trial } from "../fact.ts";
import { allReady, changeTemplate, condition, observe, podsOf, workload } from "./workload.ts";

const deployment = (t: Trial) => t.get<Deployment>("apps/v1", "Deployment", "web");
const slow = { readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 1, periodSeconds: 1 } };
const never = { readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } };

async function rolledOut(t: Trial): Promise<void> {
  await eventually(async () => {
    const { metadata, spec, status } = await deployment(t);
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec?.replicas &&
      status?.replicas === spec?.replicas &&
      status?.availableReplicas === spec?.replicas
    );
  }, 60_000);
}

facts("Deployment", () => {
  for (const [maxSurge, maxUnavailable, most, least] of [
    [1, 0, 4, 3],
    [0, 1, 3, 2],
    ["50%", "50%", 5, 2],
  ] as const) {
    fact(
      `a rolling update with maxSurge ${maxSurge} and maxUnavailable ${maxUnavailable} keeps within both`,
      async (t) => {
        await t.create(
          workload("Deployment", "web", 3, {
            container: slow,
            spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } },
          }),
        );
        await rolledOut(t);
        const stop = observe(() => podsOf(t, "web"));
        await changeTemplate(t, "Deployment", "web", "2");
        await rolledOut(t);
        for (const pods of await stop()) {
          assert.ok(pods.length <= most, `${pods.length} pods`);
          assert.ok(pods.filter(isReady).length >= least, `${pods.filter(isReady).length} ready`);
        }
      },
    );
  }

  fact("Recreate ends every old pod before the first new one starts", async (t) => {
    await t.create(workload("Deployment", "web", 2, { spec: { strategy: { type: "Recreate" } } }));
    await rolledOut(t);
    const old = new Set((await podsOf(t, "web")).map(({ metadata }) => metadata.uid));
    const stop = observe(async () => {
      const pods = await t.list<Pod>("v1", "Pod", "app=web");
      return pods
        .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed")
        .map(({ metadata }) => old.has(metadata.uid));
    });
    await changeTemplate(t, "Deployment", "web", "2");
    await rolledOut(t);
    for (const ofOld of await stop()) assert.ok(new Set(ofOld).size <= 1, "old and new at once");
  });

  fact("a version that never becomes ready leaves the old pods serving, and is undone", async (t) => {
    await t.create(
      workload("Deployment", "web", 2, {
        spec: {
          progressDeadlineSeconds: 3,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        },
      }),
    );
    await rolledOut(t);
    const good = new Set((await podsOf(t, "web")).map(({ metadata }) => metadata.name));
    await t.client.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: t.namespace, name: "web" },
      "strategic",
      { spec: { template: { spec: { containers: [{ name: "main", ...never }] } } } },
    );
    const failed = await eventually(async () => {
      const found = condition(await deployment(t), "Progressing");
      return found?.reason === "ProgressDeadlineExceeded" ? found : undefined;
    });
    assert.match(failed.message ?? "", /^ReplicaSet "web-\S+" has timed out progressing\.$/);
    const pods = await podsOf(t, "web");
    assert.deepEqual(new Set(pods.filter(isReady).map(({ metadata }) => metadata.name)), good);
    assert.equal(condition(await deployment(t), "Available")?.status, "True");
    await t.kubectl.run`rollout undo deployment/web`;
    await rolledOut(t);
    assert.deepEqual(new Set((await podsOf(t, "web")).map(({ metadata }) => metadata.name)), good);
  });

  fact("revisionHistoryLimit keeps so many old replica sets", async (t) => {
    await t.create(workload("Deployment", "web", 1, { spec: { revisionHistoryLimit: 1 } }));
    for (const version of ["2", "3", "4"]) {
      await rolledOut(t);
      await changeTemplate(t, "Deployment", "web", version);
    }
    await rolledOut(t);
    const sets = await eventually(async () => {
      const found = await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web");
      return found.length === 2 ? found : undefined;
    });
    assert.deepEqual(
      sets.map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]).sort(byText),
      ["3", "4"],
    );
  });

  fact("going back to an earlier template uses its replica set again, as a new revision", async (t) => {
    await t.create(workload("Deployment", "web", 1, { container: { env: [{ name: "VERSION", value: "1" }] } }));
    await rolledOut(t);
    const [first] = await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web");
    await changeTemplate(t, "Deployment", "web", "2");
    await rolledOut(t);
    await changeTemplate(t, "Deployment", "web", "1");
    await rolledOut(t);
    const sets = await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web");
    const again = sets.find(({ metadata }) => metadata.uid === first?.metadata.uid);
    assert.deepEqual(
      [sets.length, again?.spec?.replicas, again?.metadata.annotations?.["deployment.kubernetes.io/revision"]],
      [2, 1, "3"],
    );
  });

  fact("a deleted pod is replaced at once", async (t) => {
    await t.create(workload("Deployment", "web", 2));
    const [pod] = await allReady(t, "web", 2);
    await t.kubectl.run`delete pod ${pod?.metadata.name} --wait=false`;
    const after = await allReady(t, "web", 2);
    assert.ok(after.every(({ metadata }) => metadata.uid !== pod?.metadata.uid));
  });

  fact("minReadySeconds holds availability back", async (t) => {
    await t.create(workload("Deployment", "web", 1, { spec: { minReadySeconds: 3 } }));
    await allReady(t, "web", 1);
    await eventually(async () => (await deployment(t)).status?.readyReplicas === 1);
    assert.equal((await deployment(t)).status?.availableReplicas, undefined);
    await eventually(async () => (await deployment(t)).status?.availableReplicas === 1);
  });

  fact("scaling during a rollout is shared among the replica sets in proportion", async (t) => {
    await t.create(
      workload("Deployment", "web", 4, {
        spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } } },
      }),
    );
    await rolledOut(t);
    await t.client.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: t.namespace, name: "web" },
      "strategic",
      { spec: { template: { spec: { containers: [{ name: "main", ...never }] } } } },
    );
    await eventually(async () => (await podsOf(t, "web")).length === 6);
    await t.kubectl.run`scale deployment web --replicas=7`;
    const sizes = await eventually(async () => {
      const found = (await t.list<ReplicaSet>("apps/v1", "ReplicaSet", "app=web"))
        .map(({ spec }) => spec?.replicas ?? 0)
        .sort((a, b) => a - b);
      return found.reduce((total, size) => total + size, 0) === 9 ? found : undefined;
    });
    assert.deepEqual(sizes, [3, 6]);
  });
});

facts("StatefulSet", () => {
  fact("pods start in order, each when the one before is ready, and end in reverse", async (t) => {
    await t.create(workload("StatefulSet", "db", 3, { container: slow }));
    const stop = observe(async () => (await podsOf(t, "db")).map((pod) => [pod.metadata.name, isReady(pod)] as const));
    await allReady(t, "db", 3);
    for (const seen of await stop()) {
      const ready = new Map(seen);
      if (ready.has("db-1")) assert.ok(ready.get("db-0"));
      if (ready.has("db-2")) assert.ok(ready.get("db-1"));
    }
    const stopDown = observe(async () => (await podsOf(t, "db")).map(({ metadata }) => metadata.name));
    await t.kubectl.run`scale statefulset db --replicas=1`;
    await eventually(async () => (await t.list("v1", "Pod", "app=db")).length === 1);
    for (const seen of await stopDown()) assert.ok(!seen.includes("db-2") || seen.includes("db-1"), seen.join());
  });

  fact("an update goes from the highest ordinal down, and stops at the partition", async (t) => {
    await t.create(
      workload("StatefulSet", "db", 3, {
        spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } },
      }),
    );
    await allReady(t, "db", 3);
    const before = new Map((await podsOf(t, "db")).map(({ metadata }) => [metadata.name, metadata.uid]));
    const stop = observe(async () =>
      (await podsOf(t, "db"))
        .filter(({ metadata }) => before.get(metadata.name) !== metadata.uid)
        .map(({ metadata }) => metadata.name),
    );
    await changeTemplate(t, "StatefulSet", "db", "2");
    await eventually(async () => {
      const { status } = await t.get<StatefulSet>("apps/v1", "StatefulSet", "db");
      return status?.updatedReplicas === 2 && status.readyReplicas === 3;
    }, 60_000);
    const seen = await stop();
    assert.ok(seen.every((names) => !names.includes("db-1") || names.includes("db-2")));
    assert.ok(seen.every((names) => !names.includes("db-0")));
  });

  fact("OnDelete replaces a pod only when somebody deletes it", async (t) => {
    await t.create(workload("StatefulSet", "db", 1, { spec: { updateStrategy: { type: "OnDelete" } } }));
    const [before] = await allReady(t, "db", 1);
    await changeTemplate(t, "StatefulSet", "db", "2");
    await eventually(
      async () => (await t.get<StatefulSet>("apps/v1", "StatefulSet", "db")).status?.observedGeneration === 2,
    );
    assert.equal((await podsOf(t, "db"))[0]?.metadata.uid, before?.metadata.uid);
    await t.kubectl.run`delete pod db-0`;
    const [after] = await allReady(t, "db", 1);
    assert.equal(after?.spec?.containers[0]?.env?.[0]?.value, "2");
  });

  fact("each pod keeps its own claim and its data, whatever happens to the pod", async (t) => {
    const claim = {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const script = `[ -e /data/who ] || hostname > /data/who; cat /data/who; ${idle}`;
    await t.create(
      workload("StatefulSet", "db", 2, {
        container: { ...shell(script), volumeMounts: [{ name: "data", mountPath: "/data" }] },
        spec: { volumeClaimTemplates: [claim] },
      }),
    );
    await allReady(t, "db", 2);
    assert.equal(
      await t.kubectl.run`get pvc -o name`,
      "persistentvolumeclaim/data-db-0\npersistentvolumeclaim/data-db-1\n",
    );
    await t.kubectl.run`delete pod db-1`;
    await allReady(t, "db", 2);
    assert.equal(await t.kubectl.run`logs db-1`, "db-1\n");
    await t.kubectl.run`delete statefulset db`;
    assert.match(await t.kubectl.run`get pvc --no-headers`, /^data-db-0 +Bound[\s\S]*^data-db-1 +Bound/m);
  });

  fact("podManagementPolicy Parallel starts them all at once", async (t) => {
    await t.create(workload("StatefulSet", "db", 3, { container: never, spec: { podManagementPolicy: "Parallel" } }));
    await eventually(async () => (await podsOf(t, "db")).length === 3);
  });
});

facts("DaemonSet, Job and CronJob", () => {
  fact("a daemon set runs on every node that it may", async (t) => {
    await t.create(workload("DaemonSet", "agent", 0));
    const nodes = (await t.client.list({ apiVersion: "v1", kind: "Node" })).items
      .map(({ metadata }) => metadata.name)
      .sort(byText);
    const pods = await allReady(t, "agent", nodes.length);
    assert.deepEqual(pods.map(({ spec }) => spec?.nodeName).sort(byText), nodes);
    assert.match(
      await t.kubectl.run`get daemonset agent --no-headers`,
      new RegExp(`^agent +${nodes.length} +${nodes.length} +${nodes.length} +`),
    );
  });

  const job = (name: string, script: string, spec: object = {}) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: { template: { spec: { restartPolicy: "Never", containers: [shell(script)] } }, ...spec },
  });
  const jobOf = (t: Trial, name: string) => t.get<Job>("batch/v1", "Job", name);

  fact("a job runs completions pods, parallelism at a time", async (t) => {
    const stop = observe(
      async () =>
        (await t.list<Pod>("v1", "Pod", "batch.kubernetes.io/job-name=many")).filter(({ status }) =>
          ["Pending", "Running"].includes(status?.phase ?? ""),
        ).length,
    );
    await t.create(job("many", "sleep 0.5", { completions: 5, parallelism: 2 }));
    await t.kubectl.run`wait --for=condition=complete job/many --timeout=60s`;
    const running = await stop();
    assert.equal(Math.max(...running), 2);
    assert.deepEqual(
      [(await jobOf(t, "many")).status?.succeeded, (await jobOf(t, "many")).status?.active],
      [5, undefined],
    );
  });

  fact("backoffLimit ends a job that fails, with BackoffLimitExceeded", async (t) => {
    await t.create(job("ill", "exit 1", { backoffLimit: 0 }));
    const failed = await eventually(async () => {
      const found = condition(await jobOf(t, "ill"), "Failed");
      return found?.status === "True" ? found : undefined;
    });
    assert.deepEqual(
      [failed.reason, failed.message],
      ["BackoffLimitExceeded", "Job has reached the specified backoff limit"],
    );
  });

  fact("an indexed job gives each pod its index", async (t) => {
    await t.create(
      job("indexed", "echo $JOB_COMPLETION_INDEX", { completions: 3, parallelism: 3, completionMode: "Indexed" }),
    );
    await t.kubectl.run`wait --for=condition=complete job/indexed --timeout=60s`;
    const logs = (await t.kubectl.run`logs -l batch.kubernetes.io/job-name=indexed`).trim().split("\n").sort();
    assert.deepEqual(logs, ["0", "1", "2"]);
    assert.equal((await jobOf(t, "indexed")).status?.completedIndexes, "0-2");
  });

  fact("activeDeadlineSeconds ends a job and its pods", async (t) => {
    await t.create(job("late", "sleep 1000", { activeDeadlineSeconds: 1 }));
    await eventually(async () => condition(await jobOf(t, "late"), "Failed")?.reason === "DeadlineExceeded", 40_000);
  });

  fact("a suspended job has no pods until it is resumed", async (t) => {
    await t.create(job("later", "true", { suspend: true }));
    await eventually(async () => condition(await jobOf(t, "later"), "Suspended")?.status === "True");
    assert.deepEqual(await t.list("v1", "Pod"), []);
    await t.kubectl.run`patch job later --type=merge -p ${'{"spec":{"suspend":false}}'}`;
    await t.kubectl.run`wait --for=condition=complete job/later --timeout=60s`;
  });

  fact("ttlSecondsAfterFinished removes a finished job and its pods", async (t) => {
    await t.create(job("gone", "true", { ttlSecondsAfterFinished: 0 }));
    await t.kubectl.run`wait --for=delete job/gone --timeout=60s`;
    await eventually(async () => (await t.list("v1", "Pod")).length === 0);
  });
});

facts("Services and names", () => {
  const server =
    "require('http').createServer((q,s)=>s.end(require('os').hostname()+' '+q.socket.remoteAddress)).listen(8080)";
  const web = (name: string, labels: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "main",
          image: nodeImage,
          command: ["node", "-e", server],
          ports: [{ name: "http", containerPort: 8080 }],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  });
  const ask = (url: string) => `fetch('${url}').then((a)=>a.text()).then(console.log)`;
  const reach = (t: Trial, from: string, url: string) =>
    eventually(async () => {
      const { code, stdout } = await t.kubectl.answer`exec ${from} -- node -e ${ask(url)}`;
      return code === 0 ? stdout.trim() : undefined;
    });

  fact("a service answers under its short, its namespace's and its full name, and by its address", async (t) => {
    await t.create(web("one", { app: "web" }), web("client", {}), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
    });
    await Promise.all([t.ready("one"), t.ready("client")]);
    const address = (await t.get<KubeService>("v1", "Service", "front")).spec.clusterIP;
    for (const host of [
      "front",
      `front.${t.namespace}`,
      `front.${t.namespace}.svc`,
      `front.${t.namespace}.svc.cluster.local`,
      address,
    ]) {
      assert.match(await reach(t, "client", `http://${host}/`), /^one /, host);
    }
  });

  fact("a server sees the address of the pod that calls it", async (t) => {
    await t.create(web("one", { app: "web" }), web("client", {}), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
    });
    await t.ready("one");
    const { status } = await t.ready("client");
    assert.match(
      await reach(t, "client", "http://front/"),
      new RegExp(`^one (::ffff:)?${status?.podIP?.replaceAll(".", "\\.")}$`),
    );
  });

  fact("requests are spread over all ready pods", async (t) => {
    await t.create(web("one", { app: "web" }), web("two", { app: "web" }), web("client", {}), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
    });
    await Promise.all(["one", "two", "client"].map((name) => t.ready(name)));
    const many =
      "(async()=>{const n=new Set();for(let i=0;i<60;i++)n.add((await(await fetch('http://front/',{headers:{connection:'close'}})).text()).split(' ')[0]);console.log([...n].sort().join())})()";
    await eventually(async () => (await t.kubectl.answer`exec client -- node -e ${many}`).stdout === "one,two\n");
  });

  fact(
    "a headless service's name is the addresses of its pods, and each pod with a subdomain has its own name",
    async (t) => {
      const one = web("one", { app: "web" });
      Object.assign(one.spec, { hostname: "first", subdomain: "group" });
      await t.create(
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "group" },
          spec: { clusterIP: "None", selector: { app: "web" }, ports: [{ port: 8080 }] },
        },
        one,
        web("two", { app: "web" }),
        web("client", {}),
      );
      const [first, second] = await Promise.all([t.ready("one"), t.ready("two"), t.ready("client")]);
      const look = (name: string) =>
        `require('dns').resolve4('${name}.${t.namespace}.svc.cluster.local',(e,a)=>console.log(e?e.code:a.sort().join()))`;
      const both = [first.status?.podIP, second.status?.podIP].sort(byText).join();
      await eventually(async () => (await t.kubectl.run`exec client -- node -e ${look("group")}`).trim() === both);
      await eventually(
        async () => (await t.kubectl.run`exec client -- node -e ${look("first.group")}`).trim() === first.status?.podIP,
      );
      assert.equal((await t.kubectl.run`exec client -- node -e ${look("none")}`).trim(), "ENOTFOUND");
    },
  );

  fact("endpoint slices hold the pods with their conditions", async (t) => {
    await t.create(web("one", { app: "web" }), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
    });
    const { status } = await t.ready("one");
    const [slice] = await eventually(async () => {
      const found = await t.list<EndpointSlice>(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "kubernetes.io/service-name=front",
      );
      return found[0]?.endpoints?.[0]?.conditions?.ready ? found : undefined;
    });
    assert.deepEqual(
      [slice?.endpoints?.[0]?.addresses, slice?.ports],
      [[status?.podIP], [{ name: "http", port: 8080, protocol: "TCP" }]],
    );
    assert.equal(slice?.endpoints?.[0]?.targetRef?.name, "one");
  });

  fact("a node port answers on the node", async (t) => {
    await t.create(web("one", { app: "web" }), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
    });
    await t.ready("one");
    const port = (await t.get<KubeService>("v1", "Service", "front")).spec.ports[0]?.nodePort;
    await eventually(async () =>
      (
        await (await fetch(`http://${t.target.nodeHost}:${port}/`, { signal: AbortSignal.timeout(2000) })).text()
      ).startsWith("one "),
    );
  });

  fact("sessionAffinity ClientIP keeps a client at one pod", async (t) => {
    await t.create(web("one", { app: "web" }), web("two", { app: "web" }), web("client", {}), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { sessionAffinity: "ClientIP", selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
    });
    await Promise.all(["one", "two", "client"].map((name) => t.ready(name)));
    await reach(t, "client", "http://front/");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const many =
      "(async()=>{const n=new Set();for(let i=0;i<40;i++)n.add((await(await fetch('http://front/',{headers:{connection:'close'}})).text()).split(' ')[0]);console.log(n.size)})()";
    assert.equal((await t.kubectl.run`exec client -- node -e ${many}`).trim(), "1");
  });

  fact("an ExternalName service is an alias in DNS", async (t) => {
    await t.create(web("client", {}), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "other" },
      spec: { type: "ExternalName", externalName: "kubernetes.default.svc.cluster.local" },
    });
    await t.ready("client");
    const look = `require('dns').resolveCname('other.${t.namespace}.svc.cluster.local',(e,a)=>console.log(e?e.code:a.join()))`;
    await eventually(
      async () =>
        (await t.kubectl.run`exec client -- node -e ${look}`).trim() === "kubernetes.default.svc.cluster.local",
    );
  });

  const toWeb = (spec: object) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web" },
    spec: { podSelector: { matchLabels: { app: "web" } }, ...spec },
  });
  const try1 = (host: string) =>
    `require('net').connect(8080,'${host}').on('connect',()=>{console.log('open');process.exit()}).on('error',(e)=>{console.log(e.code);process.exit()}).setTimeout(2500,()=>{console.log('silence');process.exit()})`;

  fact(
    "a network policy lets in whom it names and nobody else",
    async (t) => {
      await t.create(web("one", { app: "web" }), web("friend", { role: "friend" }), web("stranger", {}));
      const [one] = await Promise.all(["one", "friend", "stranger"].map((name) => t.ready(name)));
      const host = one?.status?.podIP ?? "";
      const from = async (pod: string) => (await t.kubectl.run`exec ${pod} -- node -e ${try1(host)}`).trim();
      assert.equal(await from("stranger"), "open");
      await t.create(
        toWeb({ ingress: [{ from: [{ podSelector: { matchLabels: { role: "friend" } } }], ports: [{ port: 8080 }] }] }),
      );
      await eventually(async () => (await from("stranger")) !== "open");
      assert.equal(await from("friend"), "open");
      await t.kubectl.run`delete networkpolicy web`;
      await eventually(async () => (await from("stranger")) === "open");
    },
    { onlyEmbedded: "the real cluster beside the checkout enforces no NetworkPolicy" },
  );

  fact(
    "an egress policy keeps a pod from calling others",
    async (t) => {
      await t.create(web("one", { app: "web" }), web("other", {}));
      await t.ready("one");
      const { status } = await t.ready("other");
      await t.create(toWeb({ policyTypes: ["Egress"], egress: [] }));
      await eventually(
        async () => (await t.kubectl.run`exec one -- node -e ${try1(status?.podIP ?? "")}`).trim() !== "open",
      );
    },
    { onlyEmbedded: "the real cluster beside the checkout enforces no NetworkPolicy" },
  );

  const ingress = (host: string, paths: object[], more: object = {}) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web" },
    spec: { ingressClassName: "nginx", rules: [{ host, http: { paths } }], ...more },
  });
  const path = (path: string, pathType: string, name: string) => ({
    path,
    pathType,
    backend: { service: { name, port: { number: 80 } } },
  });

  const behind = (name: string) => [
    web(name, { app: name }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 80, targetPort: "http" }] },
    },
  ];

  fact("an ingress leads to services by host and path, the longest prefix first", async (t) => {
    const host = `${t.namespace}.example`;
    await t.create(
      ...behind("root"),
      ...behind("api"),
      ingress(host, [path("/", "Prefix", "root"), path("/api", "Prefix", "api")]),
    );
    await Promise.all(["root", "api"].map((name) => t.ready(name)));
    const through = async (path: string) => (await askIngress(t.target.ingress, host, path)).split(" ")[0];
    await eventually(async () => (await through("/api")) === "api");
    assert.equal(await through("/api/more"), "api");
    assert.equal(await through("/apis"), "root");
    assert.equal(await through("/"), "root");
    await assert.rejects(askIngress(t.target.ingress, `other-${host}`, "/"), /404/);
  });

  fact(
    "an exact path of an ingress goes before a prefix",
    async (t) => {
      const host = `${t.namespace}.example`;
      await t.create(
        ...behind("root"),
        ...behind("exact"),
        ingress(host, [path("/", "Prefix", "root"), path("/exact", "Exact", "exact")]),
      );
      await Promise.all(["root", "exact"].map((name) => t.ready(name)));
      const through = async (path: string) => (await askIngress(t.target.ingress, host, path)).split(" ")[0];
      await eventually(async () => (await through("/exact")) === "exact");
      assert.equal(await through("/exact/more"), "root");
    },
    { onlyEmbedded: "Traefik, the ingress controller of the real cluster, lets the prefix win" },
  );
});

interface KubeService {
  apiVersion: string;
  kind: string;
  metadata: object;
  spec: { clusterIP: string; ports: { nodePort?: number }[] };
  [field: string]: unknown;
}

async function askIngress(base: string, host: string, path: string): Promise<string> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { headers: { host }, timeout: 5000 }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () =>
        answer.statusCode === 200 ? resolve(text) : reject(new Error(`${answer.statusCode} ${text}`)),
      );
    });
    sent.on("error", reject).end();
  });
}
