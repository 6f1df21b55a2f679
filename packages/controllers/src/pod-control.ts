import { isStatusError, type KubeClient, type KubeObject, type Pod, type PodTemplateSpec, refOf } from "@dhow/kube";
import { messageOf } from "@dhow/base";
import type { EventRecorder } from "./manager/events.ts";
import { controllerReference, nameOf, namespaceOf, uidOf } from "./objects.ts";

/** A pod as a template and its owner make it (controller_utils.go, GetPodFromTemplate). Without a name the server generates one. */
export function podFromTemplate(owner: KubeObject, template: PodTemplateSpec | undefined, name?: string): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...(name === undefined ? { generateName: `${nameOf(owner)}-` } : { name }),
      namespace: namespaceOf(owner),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template?.spec ?? { containers: [] },
  };
}

/** The namespace is going, so nothing may be created in it any more: not worth an event, nor another attempt. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isStatusError(error) &&
    (error.status.details?.causes ?? []).some((cause) => cause.reason === "NamespaceTerminating")
  );
}

/** Creates and deletes pods for an owner, and says so in events (RealPodControl). */
export class PodControl {
  readonly #client: KubeClient;
  readonly #recorder: EventRecorder;

  constructor(client: KubeClient, recorder: EventRecorder) {
    this.#client = client;
    this.#recorder = recorder;
  }

  async create(owner: KubeObject, pod: Pod): Promise<Pod> {
    try {
      const created = await this.#client.create(pod);
      this.#recorder.event(owner, "Normal", "SuccessfulCreate", `Created pod: ${nameOf(created)}`);
      return created;
    } catch (error) {
      if (!isNamespaceTerminating(error)) {
        this.#recorder.event(owner, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
      }
      throw error;
    }
  }

  /** Gives false where the pod was gone already. */
  async delete(owner: KubeObject, pod: Pod): Promise<boolean> {
    try {
      await this.#client.delete(refOf(pod), { preconditions: { uid: uidOf(pod) } });
      this.#recorder.event(owner, "Normal", "SuccessfulDelete", `Deleted pod: ${nameOf(pod)}`);
      return true;
    } catch (error) {
      if (isStatusError(error, "NotFound") || isStatusError(error, "Conflict")) return false;
      this.#recorder.event(owner, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  }
}

/** Does `count` things in batches of 1, 2, 4, … and stops after the first batch with a failure, so that a wish that cannot be met costs few requests (slowStartBatch). */
export async function slowStart(
  count: number,
  action: (index: number) => Promise<void>,
): Promise<{ succeeded: number; error?: unknown }> {
  let succeeded = 0;
  let begun = 0;
  for (let batch = Math.min(count, 1); batch > 0; batch = Math.min(2 * batch, count - begun)) {
    const first = begun;
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => action(first + i)));
    begun += batch;
    const failed = results.find((result) => result.status === "rejected");
    succeeded += results.filter((result) => result.status === "fulfilled").length;
    if (failed) return { succeeded, error: failed.reason };
  }
  return { succeeded };
}
