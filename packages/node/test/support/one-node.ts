import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silent, systemClock } from "@dhow/base";
import { type ContainerStatus, KubeClient, type Pod, type PodSpec } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { type Agent, startAgent } from "../../src/agent.ts";
import { createImageRuntime } from "../../src/images/image-runtime.ts";
import { childSandbox } from "./child-sandbox.ts";
import { ObjectApi } from "./object-api.ts";

/** An agent with one node, its API, and its HTTP interface on a Unix socket. */
export async function oneNode(folder: string, api = new ObjectApi()) {
  mkdirSync(join(folder, "images"), { recursive: true });
  writeFileSync(join(folder, "images/table.json"), JSON.stringify({ images: {} }));
  const images = createImageRuntime({ table: join(folder, "images/table.json"), cache: join(folder, "cache") });
  const sandbox = childSandbox();
  const agent: Agent = await startAgent({
    client: new KubeClient(api),
    clock: systemClock,
    reporter: silent,
    signal: new AbortController().signal,
    folder: join(folder, "agent"),
    nodes: [{ name: "one", zone: "a", cpu: "8", memory: "16Gi", podCidr: "10.244.1.0/24", address: "10.250.0.11" }],
    sandbox,
    images,
    dns: { address: "10.96.0.10", clusterDomain: "cluster.local" },
  });
  const socketPath = join(folder, "kubelet.sock");
  agent.kubeletHandler.listen(socketPath);
  await once(agent.kubeletHandler, "listening");
  const path = (name: string) => `/api/v1/namespaces/n/pods/${name}`;
  const pod = (name: string) => api.objects.get(path(name)) as Pod | undefined;

  return {
    api,
    sandbox,
    socketPath,
    images,
    tablePath: join(folder, "images/table.json"),
    pod,
    /** Binds a pod to the node. */
    run(name: string, spec: Partial<PodSpec>): void {
      const containers = spec.containers ?? [];
      const whole: Pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "n" },
        spec: { terminationGracePeriodSeconds: 1, nodeName: "one", ...spec, containers },
      };
      api.put(path(name), whole);
    },
    delete: (name: string, grace: number) => api.delete(path(name), grace),
    status: (name: string, container = "c"): ContainerStatus | undefined =>
      [...(pod(name)?.status?.containerStatuses ?? []), ...(pod(name)?.status?.initContainerStatuses ?? [])].find(
        (one) => one.name === container,
      ),
    /** Waits for a state that was stored, however short it lasted. */
    until: (name: string, holds: (pod: Pod) => boolean) =>
      eventually(
        () =>
          api.history
            .map((one) => (one.path === path(name) ? (one.object as Pod) : undefined))
            .find((one) => one && holds(one)),
        10_000,
        10,
      ),
    events: () =>
      [...api.objects.values()]
        .filter(({ kind }) => kind === "Event")
        .map((event) => `${String(event["reason"])}: ${String(event["message"])}`),
    async [Symbol.asyncDispose]() {
      await agent.close();
      images.close();
    },
  };
}

/** A container that runs a line of shell. */
export function shell(name: string, script: string, more: object = {}) {
  return { name, image: "busybox", command: ["sh", "-c", script], ...more };
}
