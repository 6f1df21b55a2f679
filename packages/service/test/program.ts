import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  /** The log lines so far, those that are JSON. */
  readonly logged: () => Record<string, unknown>[];
  url(): Promise<string>;
}

/** Runs the example service with an environment of its own. */
export function example(environment: Record<string, string>): Program {
  const file = fileURLToPath(new URL("example.ts", import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const logged = () =>
    text
      .split("\n")
      .flatMap((line) =>
        line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line) as Record<string, unknown>] : [],
      );
  return {
    process: child,
    ended,
    output: () => text,
    logged,
    async url() {
      for (;;) {
        const line = logged().find((one) => one["message"] === "listening");
        if (line) return `http://127.0.0.1:${String(line["port"])}`;
        if (child.exitCode !== null) throw new Error(`exited with ${child.exitCode}: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
