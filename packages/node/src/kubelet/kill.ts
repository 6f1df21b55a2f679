import type { Clock } from "@dhow/base";
import type { Container, Pod } from "@dhow/kube";
import { runHook } from "./hooks.ts";
import type { RunningContainer } from "./running-container.ts";
import { isSidecar } from "./status/phase.ts";

export interface KillContext {
  readonly pod: Pod;
  readonly address: string;
  readonly clock: Clock;
  readonly event: (container: Container, type: "Normal" | "Warning", reason: string, message: string) => void;
}

/** How long a container may take to end: that of the deletion, of the failed probe, or of the pod (killContainer in pkg/kubelet/kuberuntime). */
export function graceMilliseconds(pod: Pod, container?: Container, probe?: "Liveness" | "Startup"): number {
  const deletion = pod.metadata.deletionGracePeriodSeconds;
  const failed =
    probe === "Liveness" ? container?.livenessProbe : probe === "Startup" ? container?.startupProbe : undefined;
  const seconds = deletion ?? failed?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return seconds * 1000;
}

/** Ends a container within its grace period, hook included; resolves when it is gone. */
export function killContainer(
  context: KillContext,
  running: RunningContainer,
  grace: number,
  message: string,
): Promise<void> {
  const { pod, address, clock, event } = context;
  const { container, process } = running;
  if (running.stopping) return running.stopping;
  event(container, "Normal", "Killing", message);
  const handler = container.lifecycle?.preStop;
  if (!handler) return running.stop(grace);
  return running.stop(grace, async (timeoutMilliseconds, signal) => {
    const problem = await runHook(handler, { pod, container, process, address, clock, timeoutMilliseconds, signal });
    if (problem !== undefined) event(container, "Warning", "FailedPreStopHook", "PreStopHook failed");
  });
}

/** Ends a pod's containers: all at once, then its sidecars, the last started first, within what is left of the grace period. */
export async function stopAll(
  context: KillContext,
  running: readonly RunningContainer[],
  grace: number,
): Promise<void> {
  const { clock } = context;
  const begin = clock.now();
  const kill = (one: RunningContainer, milliseconds: number) =>
    killContainer(context, one, milliseconds, `Stopping container ${one.container.name}`);
  const sidecars = running.filter(({ container }) => isSidecar(container));
  const others = running.filter(({ container }) => !isSidecar(container));
  await Promise.all(others.map((one) => kill(one, grace)));
  const order = (context.pod.spec.initContainers ?? []).map(({ name }) => name);
  sidecars.sort((a, b) => order.indexOf(b.container.name) - order.indexOf(a.container.name));
  for (const one of sidecars) await kill(one, Math.max(grace - (clock.now() - begin), 2000));
}
