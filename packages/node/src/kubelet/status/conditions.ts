import type { ContainerStatus, Pod, PodCondition } from "@dhow/kube";
import { isSidecar, type Phase } from "./phase.ts";

type Verdict = { readonly status: "True" | "False"; readonly reason?: string; readonly message?: string };

interface ConditionsInput {
  readonly pod: Pod;
  readonly phase: Phase;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Whether the pod has its network and volumes. */
  readonly sandboxReady: boolean;
  /** The conditions as last written; those of others stay as they are. */
  readonly previous: readonly PodCondition[];
  /** RFC 3339, for what changes now. */
  readonly now: string;
}

const own = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/** The kubelet's five conditions, in its order, then those that others wrote (pkg/kubelet/status/generate.go). */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const containersReady = containersReadyVerdict(input);
  const verdicts: Record<string, Verdict> = {
    PodReadyToStartContainers: { status: input.sandboxReady ? "True" : "False" },
    Initialized: initializedVerdict(input),
    Ready: readyVerdict(input, containersReady),
    ContainersReady: containersReady,
    PodScheduled: { status: "True" },
  };
  const conditions = own.map((type) => condition(type, verdicts[type] ?? { status: "False" }, input));
  return [...conditions, ...input.previous.filter((one) => !own.includes(one.type))];
}

function condition(type: string, verdict: Verdict, input: ConditionsInput): PodCondition {
  const previous = input.previous.find((one) => one.type === type);
  const unchanged = previous?.status === verdict.status && previous.lastTransitionTime;
  const generation = input.pod.metadata.generation;
  return {
    type,
    ...verdict,
    ...(generation ? { observedGeneration: generation } : {}),
    lastTransitionTime: unchanged ? previous.lastTransitionTime : input.now,
  };
}

function unready(containers: readonly { readonly name: string }[], statuses: readonly ContainerStatus[]) {
  const byName = new Map(statuses.map((status) => [status.name, status]));
  return {
    unknown: containers.filter(({ name }) => !byName.has(name)).map(({ name }) => name),
    unready: containers.filter(({ name }) => byName.get(name)?.ready === false).map(({ name }) => name),
  };
}

function namesMessage(kinds: readonly [string, readonly string[]][]): string {
  return kinds
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `containers with ${kind} status: [${names.join(" ")}]`)
    .join(", ");
}

function containersReadyVerdict({ pod, phase, initStatuses, statuses }: ConditionsInput): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const containers = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const found = unready(containers, [...initStatuses, ...statuses]);
  const message = namesMessage([
    ["unknown", found.unknown],
    ["unready", found.unready],
  ]);
  return message ? { status: "False", reason: "ContainersNotReady", message } : { status: "True" };
}

function readyVerdict({ pod, previous }: ConditionsInput, containersReady: Verdict): Verdict {
  if (containersReady.status !== "True") return containersReady;
  const messages: string[] = [];
  for (const gate of pod.spec.readinessGates ?? []) {
    const found = previous.find((one) => one.type === gate.conditionType);
    const name = `pod readiness gate "${gate.conditionType}"`;
    if (!found) messages.push(`corresponding condition of ${name} does not exist.`);
    else if (found.status !== "True") messages.push(`the status of ${name} is not "True", but ${found.status}`);
  }
  if (messages.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function initializedVerdict({ pod, phase, initStatuses, statuses }: ConditionsInput): Verdict {
  const init = pod.spec.initContainers ?? [];
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const waitsFor = init.filter(({ name, restartPolicy }) => {
    const status = initStatuses.find((one) => one.name === name);
    return restartPolicy === "Always" ? !status?.started : !status?.ready;
  });
  // Sidecars that restart later do not take back what was reached once regular containers have started.
  const started = statuses.some(
    (status) => status.state?.running ?? status.state?.terminated ?? status.lastState?.terminated,
  );
  const names = waitsFor.filter((container) => !(started && isSidecar(container))).map(({ name }) => name);
  if (names.length === 0) return { status: "True" };
  return { status: "False", reason: "ContainersNotInitialized", message: namesMessage([["incomplete", names]]) };
}
