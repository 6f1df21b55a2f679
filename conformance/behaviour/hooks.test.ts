import assert from "node:assert/strict";
import type { Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, isReady, nodeImage, shell, shellPod, type Trial } from "../fact.ts";

const main = (pod: Pod) => pod.status?.containerStatuses?.[0];
const events = (t: Trial, name: string) => t.kubectl.run`events --for ${`pod/${name}`}`;
const restarted = (t: Trial, name: string) =>
  eventually(async () => ((main(await t.pod(name))?.restartCount ?? 0) >= 1 ? t.pod(name) : undefined), 60_000);
const shared = { volumes: [{ name: "data", emptyDir: {} }] };
const mount = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
/** Seconds from a call to the end of a pod's object. */
async function secondsToGo(t: Trial, name: string, ...words: string[]): Promise<number> {
  const begin = Date.now();
  await t.kubectl.run`delete pod ${name} ${words}`;
  return (Date.now() - begin) / 1000;
}
const deaf = "trap '' TERM; while :; do sleep 0.2; done";
/** A server whose answers are what its script says. */
const server = (script: string, more: object = {}) => ({
  name: "main",
  image: nodeImage,
  command: ["node", "-e", script],
  ports: [{ name: "http", containerPort: 8080 }],
  ...more,
});

facts("lifecycle hooks", () => {
  fact("a postStart hook that fails has its container killed and started again", async (t) => {
    const postStart = { exec: { command: ["sh", "-c", "echo no; exit 3"] } };
    await t.create(shellPod("one", idle, { container: { lifecycle: { postStart } } }));
    await restarted(t, "one");
    const text = await eventually(async () => {
      const found = await events(t, "one");
      return /FailedPostStartHook/.test(found) ? found : undefined;
    });
    assert.match(text, /Warning +FailedPostStartHook .*PostStartHook failed/);
    assert.match(text, /Normal +Killing .*FailedPostStartHook/);
  });

  fact("a hook may be an HTTP request to the container", async (t) => {
    const script =
      "const seen=[];require('http').createServer((q,s)=>{seen.push(q.url+' '+q.headers['x-from']);console.log(seen.at(-1));s.end()}).listen(8080)";
    const httpGet = (path: string) => ({
      httpGet: { path, port: "http", httpHeaders: [{ name: "x-from", value: "hook" }] },
    });
    const lifecycle = { postStart: { exec: { command: ["sleep", "0.1"] } }, preStop: httpGet("/ends") };
    await t.create(
      shellPod("one", "", {
        spec: {
          terminationGracePeriodSeconds: 3,
          containers: [
            server(script, { lifecycle, readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 1 } }),
          ],
        },
      }),
    );
    await t.ready("one");
    await using following = t.kubectl.start`logs -f one`;
    await eventually(
      async () =>
        (await t.kubectl
          .run`exec one -- node -e ${"fetch('http://127.0.0.1:8080/before').then((a)=>console.log(a.status))"}`) ===
        "200\n",
    );
    await t.kubectl.run`delete pod one --wait=false`;
    await following.ended;
    assert.match(following.stdout, /^\/ends hook$/m);
  });

  fact("a preStop sleep holds SIGTERM back, and no longer than the grace period", async (t) => {
    const lifecycle = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });
    await t.create(
      shellPod("short", idle, { container: lifecycle(2), spec: { terminationGracePeriodSeconds: 20 } }),
      shellPod("long", idle, { container: lifecycle(3), spec: { terminationGracePeriodSeconds: 30 } }),
    );
    await Promise.all([t.ready("short"), t.ready("long")]);
    assert.ok((await secondsToGo(t, "short")) >= 2);
    // A grace period that is shorter than the hook cuts it.
    assert.ok((await secondsToGo(t, "long", "--grace-period=1")) < 20);
  });

  fact("a container that ends by itself has no preStop hook run", async (t) => {
    const preStop = { exec: { command: ["sh", "-c", "echo hook > /data/hook"] } };
    const witness = { ...shell("sleep 4; ls /data"), name: "witness", ...mount };
    await t.create(
      shellPod("one", "", {
        spec: {
          ...shared,
          restartPolicy: "Never",
          containers: [{ ...shell("sleep 1"), ...mount, lifecycle: { preStop } }, witness],
        },
      }),
    );
    await t.ended("one");
    assert.equal(await t.kubectl.run`logs one -c witness`, "");
  });

  fact("a liveness probe that fails has the preStop hook run too", async (t) => {
    const lifecycle = { preStop: { exec: { command: ["sh", "-c", "echo hook > /data/hook"] } } };
    const livenessProbe = { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1 };
    const script = `cat /data/hook && ${idle}; ${idle}`;
    await t.create(shellPod("one", script, { container: { ...mount, lifecycle, livenessProbe }, spec: shared }));
    await restarted(t, "one");
    await eventually(async () => (await t.kubectl.run`logs one`).startsWith("hook\n"));
  });
});

facts("termination", () => {
  fact("deletionTimestamp lies a grace period ahead", async (t) => {
    await t.create(shellPod("one", deaf, { spec: { terminationGracePeriodSeconds: 20 } }));
    await t.ready("one");
    const before = Date.now();
    await t.kubectl.run`delete pod one --wait=false`;
    const { metadata, status } = await t.pod("one");
    const ahead = Date.parse(metadata.deletionTimestamp ?? "") - before;
    assert.ok(ahead > 15_000 && ahead < 40_000, String(ahead));
    assert.equal(status?.phase, "Running");
    await t.kubectl.answer`delete pod one --grace-period=1 --wait=false`;
  });

  fact(
    "another deletion shortens the time that a pod was given to end in",
    async (t) => {
      await t.create(shellPod("one", deaf, { spec: { terminationGracePeriodSeconds: 600 } }));
      await t.ready("one");
      await t.kubectl.run`delete pod one --wait=false`;
      await t.kubectl.run`delete pod one --grace-period=1 --timeout=60s`;
    },
    { onlyEmbedded: "a real kubelet that ends a pod does not hear of it (kubernetes/kubernetes#113606)" },
  );

  fact("every container hears SIGTERM at once", async (t) => {
    const slow = "trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done";
    const containers = ["a", "b", "c", "d"].map((name) => ({ ...shell(slow), name }));
    await t.create(shellPod("one", "", { spec: { terminationGracePeriodSeconds: 60, containers } }));
    await t.ready("one");
    const codes: (number | undefined)[] = [];
    const times: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const { type, object } of t.client.watch<Pod>({
        apiVersion: "v1",
        kind: "Pod",
        namespace: t.namespace,
      })) {
        const ended = (object.status?.containerStatuses ?? []).map(({ state }) => state?.terminated);
        if (ended.length === 4 && ended.every(Boolean)) {
          codes.splice(0, 4, ...ended.map((one) => one?.exitCode));
          times.splice(0, 4, ...ended.map((one) => one?.finishedAt));
        }
        if (type === "DELETED") break;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await t.kubectl.run`delete pod one`;
    await watching;
    assert.deepEqual(codes, [0, 0, 0, 0]);
    // One after the other they would be two seconds apart each.
    const ends = times.map((time) => Date.parse(time ?? ""));
    assert.ok(Math.max(...ends) - Math.min(...ends) < 6000, times.join());
  });

  fact("sidecars end after the others, in reverse order of their start", async (t) => {
    const script = (name: string) => `trap 'echo ${name} >> /data/story; exit 0' TERM; while :; do sleep 0.1; done`;
    const side = (name: string) => ({ ...shell(script(name)), name, restartPolicy: "Always", ...mount });
    const witness = {
      ...shell("trap 'sleep 1; cat /data/story; exit 0' TERM; while :; do sleep 0.1; done"),
      name: "witness",
      restartPolicy: "Always",
      ...mount,
    };
    await t.create(
      shellPod("one", "", {
        spec: {
          ...shared,
          terminationGracePeriodSeconds: 60,
          initContainers: [witness, side("first"), side("second")],
          containers: [{ ...shell(script("main")), ...mount }],
        },
      }),
    );
    await t.ready("one");
    await using following = t.kubectl.start`logs -f one -c witness`;
    await t.kubectl.run`delete pod one --wait=false`;
    await following.ended;
    assert.equal(following.stdout, "main\nsecond\nfirst\n");
  });
});

facts("more of probes", () => {
  fact("an HTTP probe says its headers, its path and its port by name", async (t) => {
    const script =
      "require('http').createServer((q,s)=>{console.log(q.headers['user-agent'].split('/')[0],q.headers['x-probe'],q.headers.host,q.url);s.writeHead(q.headers['x-probe']==='yes'?200:400);s.end()}).listen(8080)";
    const httpHeaders = [
      { name: "X-Probe", value: "yes" },
      { name: "Host", value: "shop.example" },
    ];
    const readinessProbe = { httpGet: { path: "/well?deep=1", port: "http", httpHeaders }, periodSeconds: 1 };
    await t.create(shellPod("one", "", { spec: { containers: [server(script, { readinessProbe })] } }));
    await t.ready("one");
    assert.match(await t.kubectl.run`logs one`, /^kube-probe yes shop\.example \/well\?deep=1$/m);
  });

  fact("an HTTPS probe does not ask whose certificate it is", async (t) => {
    const script = `
      require('https').createServer({key:process.env.KEY,cert:process.env.CERT},(q,s)=>s.end()).listen(8080)`;
    const { execFileSync } = await import("node:child_process");
    const words = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=nobody",
      "-keyout",
      "-",
    ];
    const pem = execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const env = ["KEY", "CERT"].map((name) => ({ name, value: pem }));
    const readinessProbe = { httpGet: { scheme: "HTTPS", port: "http" }, periodSeconds: 1 };
    await t.create(shellPod("one", "", { spec: { containers: [server(script, { env, readinessProbe })] } }));
    await t.ready("one");
  });

  fact("a probe that takes longer than timeoutSeconds has failed", async (t) => {
    const slow = "require('http').createServer((q,s)=>setTimeout(()=>s.end(),5000)).listen(8080)";
    const probe = (how: object) => ({ readinessProbe: { ...how, periodSeconds: 1, timeoutSeconds: 1 } });
    await t.create(
      shellPod("exec", idle, { container: probe({ exec: { command: ["sleep", "5"] } }) }),
      shellPod("http", "", { spec: { containers: [server(slow, probe({ httpGet: { port: 8080 } }))] } }),
    );
    await eventually(
      async () =>
        /Unhealthy .*Readiness probe failed: command timed out: "sleep 5" timed out after 1s/.test(
          await events(t, "exec"),
        ),
      40_000,
    );
    await eventually(
      async () =>
        /Unhealthy .*Readiness probe failed: Get "http:\/\/[\d.]+:8080\/": context deadline exceeded/.test(
          await events(t, "http"),
        ),
      40_000,
    );
    assert.ok(!isReady(await t.pod("exec")) && !isReady(await t.pod("http")));
  });

  fact("a probe's own grace period goes before the pod's", async (t) => {
    const livenessProbe = {
      exec: { command: ["false"] },
      periodSeconds: 1,
      failureThreshold: 1,
      terminationGracePeriodSeconds: 1,
    };
    await t.create(
      shellPod("one", deaf, { container: { livenessProbe }, spec: { terminationGracePeriodSeconds: 600 } }),
    );
    const pod = await restarted(t, "one");
    assert.equal(main(pod)?.lastState?.terminated?.exitCode, 137);
  });

  fact("a failing probe says what a command printed, and a port that nobody listens at", async (t) => {
    await t.create(
      shellPod("exec", idle, {
        container: { readinessProbe: { exec: { command: ["sh", "-c", "echo not yet; exit 1"] }, periodSeconds: 1 } },
      }),
      shellPod("tcp", idle, { container: { readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 } } }),
      shellPod("http", idle, { container: { readinessProbe: { httpGet: { port: 7000 }, periodSeconds: 1 } } }),
    );
    await eventually(async () => /Readiness probe failed: not yet/.test(await events(t, "exec")), 40_000);
    await eventually(
      async () =>
        /Readiness probe failed: dial tcp [\d.]+:7000: connect: connection refused/.test(await events(t, "tcp")),
      40_000,
    );
    await eventually(
      async () =>
        /Readiness probe failed: Get "http:\/\/[\d.]+:7000\/": dial tcp [\d.]+:7000: connect: connection refused/.test(
          await events(t, "http"),
        ),
      40_000,
    );
  });

  fact("a sidecar with a startup probe holds back what comes after it", async (t) => {
    const side = {
      ...shell(`sleep 3; touch /tmp/up; ${idle}`),
      name: "side",
      restartPolicy: "Always",
      startupProbe: { exec: { command: ["cat", "/tmp/up"] }, periodSeconds: 1, failureThreshold: 30 },
    };
    await t.create(shellPod("one", idle, { spec: { initContainers: [side] } }));
    const pod = await t.ready("one");
    const began = Date.parse(pod.status?.initContainerStatuses?.[0]?.state?.running?.startedAt ?? "");
    const then = Date.parse(main(pod)?.state?.running?.startedAt ?? "");
    // Times in a status are whole seconds.
    assert.ok(then - began >= 2000, `${then - began} ms`);
  });

  fact("a sidecar that is not ready keeps its pod from being ready, and its liveness is its own", async (t) => {
    const side = {
      ...shell(idle),
      name: "side",
      restartPolicy: "Always",
      readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 },
    };
    const ill = {
      ...shell(idle),
      name: "ill",
      restartPolicy: "Always",
      livenessProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1 },
    };
    await t.create(shellPod("one", idle, { spec: { initContainers: [side, ill] } }));
    const pod = await eventually(async () => {
      const found = await t.pod("one");
      const status = found.status?.initContainerStatuses?.find(({ name }) => name === "ill");
      return (status?.restartCount ?? 0) >= 1 && main(found)?.ready ? found : undefined;
    }, 60_000);
    assert.ok(!isReady(pod));
    assert.equal(main(pod)?.restartCount, 0);
  });

  fact("a pod is not ready from the moment in which its containers have ended", async (t) => {
    await t.create(shellPod("one", "until [ -e /tmp/done ]; do sleep 0.1; done", { spec: { restartPolicy: "Never" } }));
    await t.ready("one");
    await t.kubectl.run`exec one -- touch /tmp/done`;
    const pod = await t.ended("one");
    const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.status, ready?.reason], ["False", "PodCompleted"]);
  });
});
