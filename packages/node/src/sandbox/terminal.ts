import { setTimeout } from "node:timers/promises";
import { readdirSync, readFileSync } from "node:fs";
import { run } from "./programs.ts";

/** Tells the terminal of a script(1) how large the user's window is. `scriptProcess` is asked each time, until it has opened its terminal. */
export async function resizeTerminal(
  scriptProcess: () => number | undefined,
  size: { readonly width: number; readonly height: number },
): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const pid = scriptProcess();
    if (pid === undefined) return;
    const index = terminalIndex(pid);
    if (index !== undefined) {
      const terminal = `/proc/${pid}/root/dev/pts/${index}`;
      await run(["stty", "-F", terminal, "cols", String(size.width), "rows", String(size.height)]);
      return;
    }
    await setTimeout(20);
  }
}

/** The number of the terminal whose controlling end the process has open (proc(5), fdinfo: tty-index). */
function terminalIndex(pid: number): string | undefined {
  for (const descriptor of listFolder(`/proc/${pid}/fdinfo`)) {
    const index = /^tty-index:\s*(\d+)$/m.exec(readIfThere(`/proc/${pid}/fdinfo/${descriptor}`))?.[1];
    if (index !== undefined) return index;
  }
  return undefined;
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
