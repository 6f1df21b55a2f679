import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Waits for the end of its input, which comes when the agent ends, however it ends; then kills every process group that is written down. */
const program = 'cat > /dev/null; for file in "$1"/*; do kill -KILL -- "-${file##*/}" 2> /dev/null; done; rm -rf "$1"';

/** Outlives the agent by a moment, so that no pod does. */
export class Guard {
  readonly #folder: string;
  readonly #process: ChildProcess;

  constructor(folder: string) {
    this.#folder = join(folder, "groups");
    mkdirSync(this.#folder, { recursive: true });
    this.#process = spawn("sh", ["-c", program, "sh", this.#folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#process.unref();
  }

  add(group: number): void {
    writeFileSync(join(this.#folder, String(group)), "");
  }

  remove(group: number): void {
    rmSync(join(this.#folder, String(group)), { force: true });
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
