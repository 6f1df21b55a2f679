// The process that stays after `dhow up --detach`: the same run, reported to whoever started it for as long as that one listens.
import { goOnWithoutLog, type Report, systemClock } from "@dhow/base";
import { loadSystem, runSystem } from "@dhow/development";
import type { DetachedMessage, RunChoices } from "./commands/detach.ts";
import { errorLines } from "./terminal/errors.ts";

const { path, environment, ...choices } = JSON.parse(process.argv[2] ?? "{}") as RunChoices & {
  path: string;
  environment: string;
};
goOnWithoutLog();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());

function say(message: DetachedMessage): void {
  if (process.connected) process.send?.(message);
}

function report(report: Report): void {
  say({ type: "report", report });
  console.log(JSON.stringify({ timestamp: new Date().toISOString(), ...report }));
}

try {
  const loaded = await loadSystem(path, environment);
  await runSystem({
    loaded,
    ...choices,
    detached: true,
    reporter: { report },
    clock: systemClock,
    signal: stop.signal,
  });
} catch (error) {
  say({ type: "error", lines: errorLines(error) });
  console.error(error);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
