import assert from "node:assert/strict";
import type { Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, nodeImage, shell, shellPod, type Trial } from "../fact.ts";

const main = (pod: Pod) => pod.status?.containerStatuses?.[0];
const shared = { volumes: [{ name: "data", emptyDir: {} }] };
const mount = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
const once = { spec: { restartPolicy: "Never" } };

facts("a pod's life", () => {
  fact("a container that ends is started again, with growing waits between", async (t) => {
    await t.create(shellPod("again", "exit 1"));
    const pod = await eventually(async () => {
      const found = await t.pod("again");
      return (main(found)?.restartCount ?? 0) >= 1 && main(found)?.state?.waiting?.reason === "CrashLoopBackOff"
        ? found
        : undefined;
    }, 40_000);
    assert.match(
      main(pod)?.state?.waiting?.message ?? "",
      /^back-off \d+s restarting failed container=main pod=again_/,
    );
    assert.equal(main(pod)?.lastState?.terminated?.exitCode, 1);
    assert.equal(pod.status?.phase, "Running");
  });

  fact("restartPolicy Never ends the pod as Succeeded or Failed", async (t) => {
    await t.create(shellPod("well", "exit 0", once), shellPod("ill", "exit 3", once));
    assert.equal((await t.ended("well")).status?.phase, "Succeeded");
    const ill = await t.ended("ill");
    assert.equal(ill.status?.phase, "Failed");
    assert.deepEqual([main(ill)?.state?.terminated?.exitCode, main(ill)?.state?.terminated?.reason], [3, "Error"]);
  });

  fact("restartPolicy OnFailure starts again after a failure and not after success", async (t) => {
    await t.create(
      shellPod("second", "[ -e /data/x ] && exit 0; touch /data/x; exit 1", {
        container: mount,
        spec: { ...shared, restartPolicy: "OnFailure" },
      }),
    );
    const pod = await t.ended("second");
    assert.deepEqual([pod.status?.phase, main(pod)?.restartCount], ["Succeeded", 1]);
  });

  fact("a container that hears no SIGTERM is killed after the grace period: 137", async (t) => {
    await t.create(
      shellPod("deaf", "trap '' TERM; while :; do sleep 1; done", { spec: { terminationGracePeriodSeconds: 1 } }),
    );
    await t.ready("deaf");
    const codes: (number | undefined)[] = [];
    const watching = (async () => {
      const events = t.client.watch<Pod>(
        { apiVersion: "v1", kind: "Pod", namespace: t.namespace },
        { fieldSelector: "metadata.name=deaf" },
      );
      for await (const { type, object } of events) {
        if (type === "DELETED" || type === "MODIFIED") codes.push(main(object)?.state?.terminated?.exitCode);
        if (type === "DELETED") break;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await t.kubectl.run`delete pod deaf`;
    await watching;
    assert.ok(codes.includes(137), String(codes));
  });

  fact("preStop runs before SIGTERM, and both within the grace period", async (t) => {
    const script =
      "trap 'echo term >> /data/story; exit 0' TERM; echo start >> /data/story; while :; do sleep 0.1; done";
    const preStop = {
      exec: { command: ["sh", "-c", "echo hook-begins >> /data/story; sleep 1; echo hook-ends >> /data/story"] },
    };
    await t.create(
      shellPod("one", "", {
        spec: {
          ...shared,
          terminationGracePeriodSeconds: 20,
          containers: [
            { ...shell(script), ...mount, lifecycle: { preStop } },
            {
              ...shell(
                "trap 'while ! grep -q term /data/story; do sleep 0.1; done; cat /data/story; sleep 1; exit 0' TERM; while :; do sleep 0.1; done",
              ),
              name: "witness",
              ...mount,
            },
          ],
        },
      }),
    );
    await t.ready("one");
    await using following = t.kubectl.start`logs -f one -c witness`;
    await t.kubectl.run`delete pod one --wait=false`;
    await following.ended;
    assert.equal(following.stdout, "start\nhook-begins\nhook-ends\nterm\n");
  });

  fact("postStart runs beside the container, which is not running before it is done", async (t) => {
    await t.create(
      shellPod("one", idle, {
        container: {
          ...mount,
          lifecycle: { postStart: { exec: { command: ["sh", "-c", "sleep 1; touch /data/started"] } } },
        },
        spec: shared,
      }),
    );
    await t.ready("one");
    assert.equal(await t.kubectl.run`exec one -- ls /data`, "started\n");
  });

  fact("init containers run one after another, to their end, before the others", async (t) => {
    await t.create(
      shellPod("one", `cat /data/story; ${idle}`, {
        container: mount,
        spec: {
          ...shared,
          initContainers: [
            { ...shell("sleep 1; echo first >> /data/story"), name: "first", ...mount },
            { ...shell("echo second >> /data/story"), name: "second", ...mount },
          ],
        },
      }),
    );
    const pod = await t.ready("one");
    assert.equal(await t.kubectl.run`logs one`, "first\nsecond\n");
    assert.deepEqual(
      pod.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.reason),
      ["Completed", "Completed"],
    );
  });

  fact("an init container that fails keeps the others from starting", async (t) => {
    await t.create(shellPod("one", idle, { spec: { initContainers: [{ ...shell("exit 5"), name: "before" }] } }));
    await eventually(async () => /Init:(Error|CrashLoopBackOff)/.test(await t.kubectl.run`get pod one`));
    assert.equal(main(await t.pod("one"))?.state?.waiting?.reason, "PodInitializing");
    await t.create(
      shellPod("never", idle, {
        spec: { restartPolicy: "Never", initContainers: [{ ...shell("exit 5"), name: "before" }] },
      }),
    );
    assert.equal((await t.ended("never")).status?.phase, "Failed");
  });

  fact("a sidecar starts before the others and does not keep a pod from completing", async (t) => {
    await t.create(
      shellPod("one", "sleep 1; cat /data/side", {
        container: mount,
        spec: {
          ...shared,
          restartPolicy: "Never",
          initContainers: [
            { ...shell(`echo here > /data/side; ${idle}`), name: "side", restartPolicy: "Always", ...mount },
          ],
        },
      }),
    );
    assert.equal((await t.ended("one")).status?.phase, "Succeeded");
    assert.equal(await t.kubectl.run`logs one`, "here\n");
  });

  fact("a termination message is what was written to its file, else the end of the log if asked for", async (t) => {
    await t.create(shellPod("file", "printf why > /dev/termination-log; exit 1", once));
    assert.equal(main(await t.ended("file"))?.state?.terminated?.message, "why");
    await t.create(
      shellPod("log", "echo last words; exit 1", {
        ...once,
        container: { terminationMessagePolicy: "FallbackToLogsOnError" },
      }),
    );
    assert.equal(main(await t.ended("log"))?.state?.terminated?.message, "last words\n");
  });

  fact("a container that takes more memory than its limit is OOMKilled with 137", async (t) => {
    const script = "const all=[];for(;;)all.push(Buffer.alloc(8<<20,1))";
    const container = {
      name: "main",
      image: nodeImage,
      command: ["node", "-e", script],
      resources: { limits: { memory: "64Mi" } },
    };
    await t.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "hungry" },
      spec: { restartPolicy: "Never", containers: [container] },
    });
    const { reason, exitCode } = main(await t.ended("hungry"))?.state?.terminated ?? {};
    assert.deepEqual([reason, exitCode], ["OOMKilled", 137]);
  });

  fact("activeDeadlineSeconds ends a pod as Failed with DeadlineExceeded", async (t) => {
    await t.create(shellPod("late", idle, { spec: { activeDeadlineSeconds: 1 } }));
    const pod = await t.ended("late");
    assert.deepEqual([pod.status?.phase, pod.status?.reason], ["Failed", "DeadlineExceeded"]);
  });

  fact("an image that is not there is said as such, and the pod stays Pending", async (t) => {
    await t.create(
      shellPod("none", idle, { container: { image: "registry.invalid/none:1", imagePullPolicy: "Never" } }),
    );
    const pod = await eventually(async () => {
      const found = await t.pod("none");
      return main(found)?.state?.waiting?.reason === "ErrImageNeverPull" ? found : undefined;
    });
    assert.equal(pod.status?.phase, "Pending");
    assert.equal(
      main(pod)?.state?.waiting?.message,
      'Container image "registry.invalid/none:1" is not present with pull policy of Never',
    );
  });

  fact("a command that is not there is an error of the start", async (t) => {
    await t.create(shellPod("none", idle, { ...once, container: { command: ["/no/such/program"] } }));
    const pod = await t.ended("none");
    assert.deepEqual([pod.status?.phase, main(pod)?.state?.terminated?.reason], ["Failed", "StartError"]);
  });

  fact("phases and conditions come in their order", async (t) => {
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { object } of t.client.watch<Pod>({ apiVersion: "v1", kind: "Pod", namespace: t.namespace })) {
        const { status } = object;
        for (const { type } of (status?.conditions ?? []).filter((one) => one.status === "True"))
          if (!seen.includes(type)) seen.push(type);
        if (seen.includes("Ready")) break;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await t.create(shellPod("one", idle));
    await watching;
    const order = ["PodScheduled", "Initialized", "Ready"];
    assert.deepEqual(
      seen.filter((type) => order.includes(type)),
      order,
    );
  });
});

facts("what a pod is given", () => {
  fact("the downward API gives fields of the pod as variables and files", async (t) => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    await t.create(
      shellPod("one", `echo $NAME $SPACE $IP $NODE $LIMIT; cat /info/labels; ${idle}`, {
        labels: { app: "x" },
        container: {
          resources: { limits: { cpu: "1500m", memory: "64Mi" } },
          env: [
            field("NAME", "metadata.name"),
            field("SPACE", "metadata.namespace"),
            field("IP", "status.podIP"),
            field("NODE", "spec.nodeName"),
            { name: "LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } },
          ],
          volumeMounts: [{ name: "info", mountPath: "/info" }],
        },
        spec: {
          volumes: [
            { name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
          ],
        },
      }),
    );
    const { status, spec } = await t.ready("one");
    const said = await t.kubectl.run`logs one`;
    assert.equal(said.split("\n")[0], `one ${t.namespace} ${status?.podIP} ${spec?.nodeName} 67108864`);
    assert.match(said, /^app="x"$/m);
  });

  fact("variables come from config maps and secrets, and refer to each other", async (t) => {
    await t.kubectl.run`create configmap settings --from-literal=COLOUR=blue --from-literal=SIZE=3`;
    await t.kubectl.run`create secret generic hidden --from-literal=word=sesame`;
    await t.create(
      shellPod("one", `echo $P_COLOUR $P_SIZE $WORD "$BOTH" $(id -u); ${idle}`, {
        container: {
          envFrom: [{ prefix: "P_", configMapRef: { name: "settings" } }],
          env: [
            { name: "WORD", valueFrom: { secretKeyRef: { name: "hidden", key: "word" } } },
            { name: "BOTH", value: "$(WORD)-$(P_SIZE)-$$(WORD)" },
          ],
        },
      }),
    );
    await t.ready("one");
    assert.equal(await t.kubectl.run`logs one`, "blue 3 sesame sesame-3-$(WORD) 0\n");
  });

  fact(
    "a missing config map keeps the container waiting with CreateContainerConfigError, until it is there",
    async (t) => {
      await t.create(shellPod("one", idle, { container: { envFrom: [{ configMapRef: { name: "late" } }] } }));
      const waiting = await eventually(async () => {
        const state = main(await t.pod("one"))?.state?.waiting;
        return state?.reason === "CreateContainerConfigError" ? state : undefined;
      });
      assert.equal(waiting.message, 'configmap "late" not found');
      await t.kubectl.run`create configmap late`;
      await t.ready("one");
    },
  );

  fact("files of config maps and secrets are mounted, with modes, and follow their updates", async (t) => {
    await t.kubectl.run`create configmap settings --from-literal=size=1`;
    await t.kubectl.run`create secret generic hidden --from-literal=word=sesame`;
    await t.create(
      shellPod("one", idle, {
        container: {
          volumeMounts: [
            { name: "c", mountPath: "/c" },
            { name: "s", mountPath: "/s" },
            { name: "c", mountPath: "/fixed", subPath: "size" },
          ],
        },
        spec: {
          volumes: [
            { name: "c", configMap: { name: "settings" } },
            { name: "s", secret: { secretName: "hidden", defaultMode: 0o400 } },
          ],
        },
      }),
    );
    await t.ready("one");
    assert.equal(
      await t.kubectl.run`exec one -- sh -c ${"cat /c/size /s/word /fixed; stat -L -c %a /s/word"}`,
      "1sesame1400\n",
    );
    assert.match((await t.kubectl.answer`exec one -- sh -c ${"echo x > /c/size"}`).stderr, /[Rr]ead-only/);
    await t.kubectl.run`patch configmap settings -p ${'{"data":{"size":"2"}}'}`;
    await eventually(async () => (await t.kubectl.run`exec one -- cat /c/size`) === "2", 150_000, 5000);
    // What is mounted by subPath is not updated.
    assert.equal(await t.kubectl.run`exec one -- cat /fixed`, "1");
  });

  fact("an emptyDir is shared by the containers of a pod, outlives a container and ends with the pod", async (t) => {
    await t.create(
      shellPod("two", "", {
        spec: {
          ...shared,
          containers: [
            { ...shell("[ -e /data/file ] || { echo kept > /data/file; exit 1; }; sleep 1000"), ...mount },
            { ...shell(idle), name: "other", ...mount },
          ],
        },
      }),
    );
    await eventually(async () => main(await t.pod("two"))?.restartCount === 1, 40_000);
    assert.equal(await t.kubectl.run`exec two -c other -- cat /data/file`, "kept\n");
  });

  fact("a claim is bound, and its data outlives the pod", async (t) => {
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    await t.create(
      claim,
      shellPod("first", "echo kept > /data/file; sync", {
        container: mount,
        spec: { volumes, restartPolicy: "Never" },
      }),
    );
    await t.ended("first");
    assert.match(await t.kubectl.run`get pvc data --no-headers`, /^data +Bound +pvc-\S+ +1Gi +RWO +/);
    await t.kubectl.run`delete pod first`;
    await t.create(
      shellPod("second", "cat /data/file", { container: mount, spec: { volumes, restartPolicy: "Never" } }),
    );
    await t.ended("second");
    assert.equal(await t.kubectl.run`logs second`, "kept\n");
  });

  fact("a claim in use is not deleted before its pod", async (t) => {
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    await t.create(
      claim,
      shellPod("one", idle, {
        container: mount,
        spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] },
      }),
    );
    await t.ready("one");
    await t.kubectl.run`delete pvc data --wait=false`;
    assert.match(await t.kubectl.run`get pvc data --no-headers`, /Terminating/);
    await t.kubectl.run`delete pod one`;
    await t.kubectl.run`wait --for=delete pvc/data --timeout=60s`;
  });

  fact("runAsUser, runAsGroup and fsGroup are who the program is", async (t) => {
    await t.create(
      shellPod("one", `id -u; id -g; id -G; touch /data/mine && echo writes; ${idle}`, {
        container: mount,
        spec: { ...shared, securityContext: { runAsUser: 1234, runAsGroup: 2345, fsGroup: 3456 } },
      }),
    );
    await t.ready("one");
    assert.equal(await t.kubectl.run`logs one`, "1234\n2345\n2345 3456\nwrites\n");
  });

  fact("runAsNonRoot refuses an image that runs as root", async (t) => {
    await t.create(shellPod("one", idle, { container: { securityContext: { runAsNonRoot: true } } }));
    const waiting = await eventually(async () => {
      const state = main(await t.pod("one"))?.state?.waiting;
      return state?.reason === "CreateContainerConfigError" ? state : undefined;
    });
    assert.match(waiting.message ?? "", /container has runAsNonRoot and image will run as root/);
  });

  fact("readOnlyRootFilesystem refuses writes but to volumes", async (t) => {
    await t.create(
      shellPod("one", `touch /file 2>&1; touch /data/file && echo volume; ${idle}`, {
        container: { ...mount, securityContext: { readOnlyRootFilesystem: true } },
        spec: shared,
      }),
    );
    await t.ready("one");
    assert.match(await t.kubectl.run`logs one`, /Read-only file system\nvolume\n$/);
  });

  fact("a pod's service account speaks to kubernetes.default.svc with its own rights only", async (t: Trial) => {
    await t.kubectl.run`create serviceaccount robot`;
    await t.kubectl.run`create role reader --verb=get,list --resource=configmaps`;
    await t.kubectl.run`create rolebinding reader --role=reader --serviceaccount=${t.namespace}:robot`;
    const script = `
      const { readFileSync } = require("fs"), https = require("https"), folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
      const read = (name) => readFileSync(folder + name, "utf8");
      const ask = (path) => new Promise((resolve) => https.get("https://kubernetes.default.svc" + path, { ca: read("ca.crt"), headers: { authorization: "Bearer " + read("token") } }, (answer) => { answer.resume(); resolve(answer.statusCode); }).on("error", (error) => resolve(error.message)));
      (async () => { for (const resource of ["configmaps", "secrets"]) console.log(resource, await ask("/api/v1/namespaces/" + read("namespace") + "/" + resource)); })();`;
    await t.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "robot" },
      spec: {
        restartPolicy: "Never",
        serviceAccountName: "robot",
        containers: [{ name: "main", image: nodeImage, command: ["node", "-e", script] }],
      },
    });
    await t.ended("robot");
    assert.equal(await t.kubectl.run`logs robot`, "configmaps 200\nsecrets 403\n");
  });

  fact("automountServiceAccountToken: false gives no token", async (t) => {
    await t.create(
      shellPod("one", "ls /var/run/secrets/kubernetes.io/serviceaccount 2>&1 || true", {
        spec: { restartPolicy: "Never", automountServiceAccountToken: false },
      }),
    );
    await t.ended("one");
    assert.match(await t.kubectl.run`logs one`, /No such file/);
  });

  fact("hostAliases, hostname and subdomain name the pod", async (t) => {
    await t.create(
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "group" },
        spec: { clusterIP: "None", selector: { app: "x" }, ports: [{ port: 80 }] },
      },
      shellPod("one", `hostname; cat /etc/hosts; ${idle}`, {
        labels: { app: "x" },
        spec: { hostname: "me", subdomain: "group", hostAliases: [{ ip: "192.0.2.7", hostnames: ["alias.example"] }] },
      }),
    );
    const { status } = await t.ready("one");
    const said = await t.kubectl.run`logs one`;
    assert.match(said, /^me\n/);
    assert.match(said, new RegExp(`^192\\.0\\.2\\.7\\s+alias\\.example$`, "m"));
    assert.match(
      said,
      new RegExp(`^${status?.podIP}\\s+me\\.group\\.${t.namespace}\\.svc\\.cluster\\.local\\s+me$`, "m"),
    );
  });
});
