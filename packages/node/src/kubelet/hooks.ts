import { type Clock, messageOf, sleep } from "@dhow/base";
import type { Container, LifecycleHandler, Pod } from "@dhow/kube";
import type { ContainerProcess } from "../sandbox/sandbox.ts";
import { resolvePort } from "./ports.ts";
import { runInContainer } from "./probes/exec-probe.ts";
import { httpProbe, httpTarget } from "./probes/http-probe.ts";
import { podLabel } from "./status/format.ts";

interface HookInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly process: ContainerProcess;
  readonly address: string;
  readonly clock: Clock;
  /** It ends when this is over, well or not. */
  readonly timeoutMilliseconds: number;
  readonly signal?: AbortSignal;
}

/** Runs a postStart or preStop hook; gives what went wrong, in the kubelet's words, or undefined (pkg/kubelet/lifecycle/handlers.go). */
export async function runHook(handler: LifecycleHandler, input: HookInput): Promise<string | undefined> {
  const { pod, container, process, address, clock, timeoutMilliseconds, signal } = input;
  try {
    if (handler.exec) {
      const argv = handler.exec.command ?? [];
      const { exitCode, output, timedOut } = await runInContainer(process, argv, timeoutMilliseconds);
      if (exitCode === 0 && !timedOut) return undefined;
      const command = argv.join(" ");
      const why = timedOut ? `command '${command}' timed out` : `command '${command}' exited with ${exitCode}: `;
      const about = `Container "${container.name}" in Pod "${podLabel(pod)}"`;
      return `Exec lifecycle hook ([${command}]) for ${about} failed - error: ${why}, message: ${JSON.stringify(output)}`;
    }
    if (handler.httpGet) {
      const port = resolvePort(container, handler.httpGet.port);
      const target = httpTarget(handler.httpGet, address, port);
      const { "user-agent": _, ...headers } = target.headers;
      const outcome = await httpProbe(
        { url: target.url, headers: { ...headers, "user-agent": "kube-lifecycle/1.36" } },
        timeoutMilliseconds / 1000,
      );
      if (outcome.result === "Success") return undefined;
      return `HTTP lifecycle hook (${handler.httpGet.path ?? "/"}) for Container "${container.name}" in Pod "${podLabel(pod)}" failed - error: ${outcome.message}`;
    }
    if (handler.sleep)
      await sleep(clock, Math.min(handler.sleep.seconds * 1000, timeoutMilliseconds), signal).catch(() => undefined);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
