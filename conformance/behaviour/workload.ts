import type { Deployment, KubeObject, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { idle, isReady, shell, type Sketch, type Trial } from "../fact.ts";

/** An object of `apps/v1` whose pods carry `app: <name>` and run a shell that waits. */
export function workload(
  kind: string,
  name: string,
  replicas: number,
  more: { spec?: object; pod?: object; container?: object } = {},
): Sketch {
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      ...(kind === "DaemonSet" ? {} : { replicas }),
      ...(kind === "StatefulSet" ? { serviceName: name } : {}),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ ...shell(idle), ...more.container }], ...more.pod },
      },
      ...more.spec,
    },
  };
}

/** The pods of a workload that are not on their way out. */
export async function podsOf(t: Trial, name: string): Promise<Pod[]> {
  return (await t.list<Pod>("v1", "Pod", `app=${name}`)).filter(({ metadata }) => !metadata.deletionTimestamp);
}

export async function allReady(t: Trial, name: string, count: number): Promise<Pod[]> {
  return eventually(async () => {
    const pods = await podsOf(t, name);
    return pods.length === count && pods.every(isReady) ? pods : undefined;
  }, 60_000);
}

export function condition(
  object: KubeObject | Deployment,
  type: string,
): { status?: string; reason?: string; message?: string } | undefined {
  const { conditions } = (object["status"] ?? {}) as {
    conditions?: { type: string; status?: string; reason?: string; message?: string }[];
  };
  return conditions?.find((one) => one.type === type);
}

/** Changes an environment variable of the first container, so that the template is another one. */
export function changeTemplate(t: Trial, kind: string, name: string, value: string): Promise<KubeObject> {
  const containers = [{ name: "main", env: [{ name: "VERSION", value }] }];
  return t.client.patch({ apiVersion: "apps/v1", kind, namespace: t.namespace, name }, "strategic", {
    spec: { template: { spec: { containers } } },
  });
}

/** Looks at what is there again and again until the returned function is called, which gives everything that was seen; at the longest as long as the trial. */
export function observe<T>(t: Trial, look: () => Promise<T>): () => Promise<T[]> {
  const seen: T[] = [];
  const stopped = new AbortController();
  const over = AbortSignal.any([stopped.signal, t.over]);
  const done = (async () => {
    while (!over.aborted) {
      seen.push(await look());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  // Where the trial fails, nobody asks for what was seen.
  done.catch(() => undefined);
  return async () => {
    stopped.abort();
    await done;
    return seen;
  };
}
