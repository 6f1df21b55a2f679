import type { Probe } from "@dhow/kube";
import type { ProbeTiming } from "@dhow/model";
import type { Context } from "./context.ts";

type Question = Pick<Probe, "httpGet" | "tcpSocket">;

/** Kills what hangs: late and patient, since a restart under load makes things worse. In development at once and every second. */
export function livenessProbe(context: Context, question: Question, timing: ProbeTiming | undefined): Probe {
  const { development } = context.environment;
  return {
    ...question,
    initialDelaySeconds: timing?.initialDelay ?? (development ? 0 : 10),
    periodSeconds: timing?.period ?? (development ? 1 : 5),
    timeoutSeconds: 3,
    failureThreshold: development ? 30 : 3,
  };
}

/** Takes a pod out of its Service while it cannot serve. */
export function readinessProbe(context: Context, question: Question, timing: ProbeTiming | undefined): Probe {
  const { development } = context.environment;
  return {
    ...question,
    initialDelaySeconds: timing?.initialDelay ?? (development ? 0 : 5),
    periodSeconds: timing?.period ?? (development ? 1 : 3),
    timeoutSeconds: 2,
    failureThreshold: 3,
  };
}
