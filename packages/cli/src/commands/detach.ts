import { spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@dhow/base";
import { type RunOptions, stateFolder, systemFile } from "@dhow/development";
import type { View } from "../terminal/view.ts";

/** What a person may choose of a run. */
export type RunChoices = Pick<RunOptions, "port" | "httpsPort" | "apiPort" | "isolation">;

/** Those, out of everything that was said on the command line. */
export function choicesOf({ port, httpsPort, apiPort, isolation }: RunChoices): RunChoices {
  return { port, httpsPort, apiPort, isolation };
}

/** What the process that stays says to the one that goes. */
export type DetachedMessage =
  | { readonly type: "report"; readonly report: Report }
  | { readonly type: "error"; readonly lines: readonly string[] };

/** Starts a process that stays, shows what it reports, and returns when everything is ready, or when it cannot become so: then nothing stays. */
export async function upDetached(path: string, environment: string, choices: RunChoices, view: View): Promise<number> {
  const { logs } = stateFolder(dirname(systemFile(path)));
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const log = openSync(join(logs, "host.log"), "a", 0o600);
  const host = fileURLToPath(new URL("../host-main.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", host, JSON.stringify({ path, environment, ...choicesOf(choices) })],
    {
      detached: true,
      stdio: ["ignore", log, log, "ipc"],
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.on("message", (message: DetachedMessage) => {
      if (message.type === "error") for (const line of message.lines) console.error(line);
      else view.report(message.report);
      if (message.type !== "report") return;
      if (message.report.kind === "up.failed") child.kill("SIGTERM");
      if (message.report.kind !== "up.ready") return;
      view.end();
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.on("exit", () => {
      view.end();
      resolve(1);
    });
  });
}
