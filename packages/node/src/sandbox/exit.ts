import { constants } from "node:os";
import type { ContainerExit } from "./sandbox.ts";

/** How a child process ended, in a container's terms: 128 + signal also where a shell in between has turned a signal into a code. */
export function exitOf(code: number | null, signal: NodeJS.Signals | null, oomKilled = false): ContainerExit {
  const exitCode = code ?? 128 + constants.signals[signal ?? "SIGKILL"];
  const name = signal ?? signalOf(exitCode);
  return { exitCode, ...(name ? { signal: name } : {}), oomKilled: oomKilled && exitCode === 137 };
}

function signalOf(exitCode: number): NodeJS.Signals | undefined {
  const entries = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return entries.find(([, number]) => number === exitCode - 128)?.[0];
}
