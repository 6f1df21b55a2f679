import type { Clock } from "@dhow/base";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

export interface LogLimits {
  /** A file that has grown beyond this is put aside (containerLogMaxSize of the kubelet's configuration). */
  readonly maximumBytes: number;
  /** Files kept of one run of a container, the present one included (containerLogMaxFiles). */
  readonly maximumFiles: number;
}

export const defaultLogLimits: LogLimits = { maximumBytes: 10 << 20, maximumFiles: 5 };

/** Longer lines are cut into parts marked `P`, as container runtimes do. */
const maximumLine = 16 << 10;

/**
 * Writes what a container says as CRI log lines, `2026-11-21T04:00:37.123000000Z stdout F text`, and rotates the file by size
 * (cri-api's log format; kubelet's container log manager). What was written survives a kill of the agent.
 */
export class LogWriter {
  readonly path: string;
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  readonly #partial = { stdout: "", stderr: "" };
  readonly #listeners = new Set<() => void>();
  #descriptor: number;
  #size: number;
  #closed = false;

  constructor(path: string, clock: Clock, limits = defaultLogLimits) {
    this.path = path;
    this.#clock = clock;
    this.#limits = limits;
    mkdirSync(dirname(path), { recursive: true });
    this.#descriptor = openSync(path, "a", 0o600);
    this.#size = statSync(path).size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a piece of a stream as it came; a line that is not complete waits for its end. */
  write(stream: "stdout" | "stderr", piece: string): void {
    if (this.#closed) return;
    const lines = (this.#partial[stream] + piece).split("\n");
    this.#partial[stream] = lines.pop() ?? "";
    const time = this.#time();
    let text = "";
    for (const line of lines) text += this.#cut(time, stream, line, "F");
    if (this.#partial[stream].length >= maximumLine) {
      text += this.#cut(time, stream, this.#partial[stream], "P");
      this.#partial[stream] = "";
    }
    if (text) this.#append(text);
  }

  /** Called after each write and at the end, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#closed) return;
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#partial[stream]) this.#append(this.#cut(this.#time(), stream, this.#partial[stream], "P"));
    }
    this.#closed = true;
    closeSync(this.#descriptor);
    this.#notify();
  }

  #cut(time: string, stream: string, line: string, tag: "F" | "P"): string {
    let text = "";
    let rest = line;
    while (rest.length > maximumLine) {
      text += `${time} ${stream} P ${rest.slice(0, maximumLine)}\n`;
      rest = rest.slice(maximumLine);
    }
    return `${text}${time} ${stream} ${tag} ${rest}\n`;
  }

  #time(): string {
    return new Date(this.#clock.now()).toISOString().replace("Z", "000000Z");
  }

  /** What the disk has no space for is left out, lines as a whole: the program that says it goes on. */
  #append(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
      this.#size += bytes.length;
      if (this.#size > this.#limits.maximumBytes) this.#rotate();
    } catch {
      ftruncateSync(this.#descriptor, this.#size);
    }
    this.#notify();
  }

  #rotate(): void {
    const stamp = new Date(this.#clock.now()).toISOString().replaceAll(/[-:TZ]/g, "");
    renameSync(this.path, `${this.path}.${stamp}`);
    const fresh = openSync(this.path, "a", 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = fresh;
    this.#size = 0;
    for (const file of putAside(this.path).slice(this.#limits.maximumFiles - 1)) rmSync(file);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Removes the log of a run with everything of it that was put aside. */
export function removeLogs(path: string): void {
  for (const file of [path, ...putAside(path)]) rmSync(file, { force: true });
}

/** What rotation has put aside of a log, the newest first. */
function putAside(path: string): string[] {
  const folder = dirname(path);
  const rotated = readdirSync(folder).filter((file) => file.startsWith(`${basename(path)}.`));
  return rotated
    .sort()
    .reverse()
    .map((file) => join(folder, file));
}
