import assert from "node:assert/strict";
import type { Endpoints, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, isReady, nodeImage, shellPod, type Trial } from "../fact.ts";

const milliseconds = (time: string | undefined) => Date.parse(time ?? "");
const main = (pod: Pod) => pod.status?.containerStatuses?.[0];

async function addresses(t: Trial, name: string): Promise<{ ready: string[]; notReady: string[] }> {
  const { subsets = [] } = await t.get<Endpoints>("v1", "Endpoints", name);
  const ips = (list: { ip?: string }[] | undefined) => (list ?? []).map(({ ip }) => ip ?? "");
  return {
    ready: subsets.flatMap((one) => ips(one.addresses)),
    notReady: subsets.flatMap((one) => ips(one.notReadyAddresses)),
  };
}

const service = (name: string, selector: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector, ports: [{ port: 80 }] },
});

facts("probes", () => {
  fact("a failing liveness probe restarts the container, and says why", async (t) => {
    await t.create(
      shellPod("one", `touch /tmp/well; ${idle}`, {
        container: {
          livenessProbe: { exec: { command: ["cat", "/tmp/well"] }, periodSeconds: 1, failureThreshold: 2 },
        },
      }),
    );
    await t.ready("one");
    await t.kubectl.run`exec one -- rm /tmp/well`;
    const pod = await eventually(async () => {
      const found = await t.pod("one");
      return main(found)?.restartCount === 1 && main(found)?.state?.running ? found : undefined;
    }, 40_000);
    assert.notEqual(main(pod)?.lastState?.terminated, undefined);
    const events = await eventually(async () => {
      const text = await t.kubectl.run`events --for pod/one`;
      return /Unhealthy/.test(text) && /Killing/.test(text) ? text : undefined;
    });
    assert.match(events, /Warning +Unhealthy .*Liveness probe failed: cat: /);
    assert.match(events, /Normal +Killing .*Container main failed liveness probe, will be restarted/);
  });

  fact("a failing readiness probe takes the pod out of the endpoints, and restarts nothing", async (t) => {
    await t.create(
      service("front", { app: "one" }),
      shellPod("one", `touch /tmp/well; ${idle}`, {
        labels: { app: "one" },
        container: {
          readinessProbe: { exec: { command: ["cat", "/tmp/well"] }, periodSeconds: 1, failureThreshold: 1 },
        },
      }),
    );
    const { status } = await t.ready("one");
    const address = status?.podIP ?? "";
    await eventually(async () => (await addresses(t, "front")).ready.includes(address));
    await t.kubectl.run`exec one -- rm /tmp/well`;
    await eventually(async () => {
      const found = await addresses(t, "front");
      return found.ready.length === 0 && found.notReady.includes(address);
    });
    assert.equal(main(await t.pod("one"))?.restartCount, 0);
    await t.kubectl.run`exec one -- touch /tmp/well`;
    await eventually(async () => (await addresses(t, "front")).ready.includes(address));
  });

  fact("publishNotReadyAddresses publishes pods that are not ready", async (t) => {
    const object = service("front", { app: "one" });
    Object.assign(object.spec, { publishNotReadyAddresses: true });
    await t.create(
      object,
      shellPod("one", idle, {
        labels: { app: "one" },
        container: { readinessProbe: { exec: { command: ["false"] } } },
      }),
    );
    const address = await eventually(async () => (await t.pod("one")).status?.podIP);
    await eventually(async () => (await addresses(t, "front")).ready.includes(address));
  });

  fact("initialDelaySeconds is never shortened: a pod is not ready before", async (t) => {
    await t.create(
      shellPod("slow", idle, {
        container: { readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 4, periodSeconds: 1 } },
      }),
    );
    const pod = await t.ready("slow");
    const started = milliseconds(main(pod)?.state?.running?.startedAt);
    const ready = milliseconds(pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime);
    // Times in a status are whole seconds.
    assert.ok(ready - started >= 3000, `ready ${ready - started} ms after the start`);
  });

  fact("a startup probe holds the liveness probe back until it has succeeded", async (t) => {
    await t.create(
      shellPod("slow", `sleep 4; touch /tmp/up; ${idle}`, {
        container: {
          startupProbe: { exec: { command: ["cat", "/tmp/up"] }, periodSeconds: 1, failureThreshold: 30 },
          livenessProbe: { exec: { command: ["cat", "/tmp/up"] }, periodSeconds: 1, failureThreshold: 1 },
        },
      }),
    );
    await eventually(async () => main(await t.pod("slow"))?.started === false);
    const pod = await t.ready("slow");
    assert.deepEqual([main(pod)?.restartCount, main(pod)?.started], [0, true]);
  });

  fact("a startup probe that never succeeds restarts the container after failureThreshold", async (t) => {
    await t.create(
      shellPod("never", idle, {
        container: { startupProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 2 } },
      }),
    );
    await eventually(async () => (main(await t.pod("never"))?.restartCount ?? 0) >= 1, 40_000);
    assert.ok(!isReady(await t.pod("never")));
    await eventually(async () =>
      /Container main failed startup probe, will be restarted/.test(await t.kubectl.run`events --for pod/never`),
    );
  });

  fact("an HTTP probe succeeds from 200 to 399, and says the status where it fails", async (t) => {
    const server =
      "let code=503;require('http').createServer((q,s)=>{if(q.url==='/well')code=301;s.writeHead(code,{location:'http://127.0.0.1:1/'});s.end()}).listen(8080)";
    await t.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web" },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "main",
            image: nodeImage,
            command: ["node", "-e", server],
            readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    });
    await eventually(async () =>
      /Readiness probe failed: HTTP probe failed with statuscode: 503/.test(await t.kubectl.run`events --for pod/web`),
    );
    assert.ok(!isReady(await t.pod("web")));
    await t.kubectl.run`exec web -- node -e ${"fetch('http://127.0.0.1:8080/well',{redirect:'manual'})"}`;
    // A redirect to another host counts as success with a warning (probe/http).
    await t.ready("web");
  });

  fact("a TCP probe succeeds where somebody listens", async (t) => {
    await t.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "tcp" },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "main",
            image: nodeImage,
            command: ["node", "-e", "setTimeout(()=>require('net').createServer().listen(7000),1500)"],
            readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 },
          },
        ],
      },
    });
    await t.ready("tcp");
  });

  fact("successThreshold asks for so many successes in a row", async (t) => {
    await t.create(
      shellPod("thrice", idle, {
        container: {
          readinessProbe: {
            exec: { command: ["sh", "-c", "echo >> /tmp/count"] },
            periodSeconds: 1,
            successThreshold: 3,
          },
        },
      }),
    );
    await t.ready("thrice");
    assert.ok(Number((await t.kubectl.run`exec thrice -- wc -l /tmp/count`).trim().split(" ")[0]) >= 3);
  });

  fact("a readiness gate keeps a pod from being ready until its condition is true", async (t) => {
    await t.create(shellPod("gated", idle, { spec: { readinessGates: [{ conditionType: "example.org/open" }] } }));
    await eventually(
      async () =>
        (await t.pod("gated")).status?.conditions?.find(({ type }) => type === "ContainersReady")?.status === "True",
    );
    const pod = await t.pod("gated");
    assert.ok(!isReady(pod));
    const patch = { status: { conditions: [{ type: "example.org/open", status: "True" }] } };
    await t.client.patch({ apiVersion: "v1", kind: "Pod", namespace: t.namespace, name: "gated" }, "strategic", patch, {
      subresource: "status",
    });
    await t.ready("gated");
  });
});
