import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { LogWriter } from "./log-writer.ts";

export interface LogOptions {
  readonly follow?: boolean;
  readonly tailLines?: number;
  /** Only lines from then on, milliseconds since 1970. */
  readonly since?: number;
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
  readonly stream?: "All" | "Stdout" | "Stderr";
  readonly signal?: AbortSignal;
}

interface Line {
  readonly time: string;
  readonly stream: string;
  readonly whole: boolean;
  readonly text: string;
}

function parseLine(line: string): Line | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP])(?::\S*)? ?(.*)$/s.exec(line);
  if (!match) return undefined;
  return { time: match[1] ?? "", stream: match[2] ?? "", whole: match[3] === "F", text: match[4] ?? "" };
}

/**
 * A container's log as `kubectl logs` shows it, in pieces (pkg/kubelet/kuberuntime/logs/logs.go). With `follow` it goes on until the run of the container
 * has ended and everything was read, or the signal is aborted; `writer` is that of the run, where it still goes on.
 */
export async function* readLog(path: string, options: LogOptions, writer?: LogWriter): AsyncGenerator<string> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const text of format(lines(path, options, writer), options)) {
    if (Buffer.byteLength(text) >= left) {
      yield Buffer.from(text).subarray(0, left).toString();
      return;
    }
    left -= Buffer.byteLength(text);
    yield text;
  }
}

async function* format(source: AsyncIterable<Line[]>, options: LogOptions): AsyncGenerator<string> {
  let atLineStart = true;
  for await (const batch of source) {
    let text = "";
    for (const line of batch) {
      if (options.timestamps && atLineStart) text += `${line.time} `;
      text += line.whole ? `${line.text}\n` : line.text;
      atLineStart = line.whole;
    }
    if (text) yield text;
  }
}

function wanted(line: Line, options: LogOptions): boolean {
  if (options.since !== undefined && Date.parse(line.time) < options.since) return false;
  return !options.stream || options.stream === "All" || options.stream.toLowerCase() === line.stream;
}

async function* lines(path: string, options: LogOptions, writer?: LogWriter): AsyncGenerator<Line[]> {
  const { tailLines } = options;
  if (tailLines === undefined) {
    for (const file of rotatedFiles(path)) yield* whole(file, options);
  }
  let offset = 0;
  if (tailLines !== undefined) {
    const last: Line[] = [];
    offset = existsSync(path) ? statSync(path).size : 0;
    const files = tailLines > 0 ? [...rotatedFiles(path), path] : [];
    for (const file of files) {
      for await (const batch of whole(file, options, file === path ? offset : undefined)) {
        last.push(...batch);
        if (last.length > tailLines * 2) last.splice(0, last.length - tailLines);
      }
    }
    yield last.slice(Math.max(0, last.length - tailLines));
  }
  yield* tail(path, offset, options, writer);
}

/** Older files of the same run, oldest first. */
function rotatedFiles(path: string): string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${basename(path)}.`))
    .sort()
    .map((file) => join(folder, file));
}

async function* whole(path: string, options: LogOptions, end?: number): AsyncGenerator<Line[]> {
  if (end === 0 || !existsSync(path)) return;
  const stream = createReadStream(path, { encoding: "utf8", ...(end === undefined ? {} : { end: end - 1 }) });
  let rest = "";
  for await (const piece of stream) {
    const pieces = (rest + String(piece)).split("\n");
    rest = pieces.pop() ?? "";
    yield select(pieces, options);
  }
}

function select(raw: readonly string[], options: LogOptions): Line[] {
  return raw.map(parseLine).filter((line) => line !== undefined && wanted(line, options)) as Line[];
}

/** Reads from `offset` to the end, and while the run goes on and `follow` is asked, what is written later. */
async function* tail(path: string, offset: number, options: LogOptions, writer?: LogWriter): AsyncGenerator<Line[]> {
  if (!existsSync(path)) return;
  let file: FileHandle = await open(path, "r");
  let position = offset;
  let rest = Buffer.alloc(0);
  let complete = false;
  const buffer = Buffer.alloc(64 << 10);
  const changes = new Changes(writer, options.signal);
  try {
    for (;;) {
      // Asked for before reading: what is written while this reads is not missed.
      const ended = !options.follow || !writer || writer.closed;
      const changed = changes.next();
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead > 0) {
        position += bytesRead;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(10) + 1;
        rest = bytes.subarray(end);
        const found = select(bytes.subarray(0, end).toString().split("\n").slice(0, -1), options);
        if (found.length > 0) yield found;
        continue;
      }
      const next = await fileAfter(path, file);
      if (next !== undefined) {
        // Put aside since it was read: it may have got its last lines in between.
        complete = !complete;
        if (complete) continue;
        await file.close();
        file = await open(next, "r");
        position = 0;
        continue;
      }
      if (ended || options.signal?.aborted) return;
      await changed;
    }
  } finally {
    changes.close();
    await file.close();
  }
}

/** The file that goes on where one that was put aside ends: there may have been several rotations since. Undefined for the present one. */
async function fileAfter(path: string, file: FileHandle): Promise<string | undefined> {
  const { ino } = await file.stat();
  const present = statSync(path, { throwIfNoEntry: false });
  if (!present || present.ino === ino) return undefined;
  const files = [...rotatedFiles(path), path];
  const at = files.findIndex((each) => statSync(each, { throwIfNoEntry: false })?.ino === ino);
  return files[at + 1];
}

/** Waits for the writer's next change, without missing one that comes between two waits. */
class Changes {
  readonly #end: () => void;
  readonly #signal: AbortSignal | undefined;
  #resolve: () => void = () => undefined;

  constructor(writer: LogWriter | undefined, signal: AbortSignal | undefined) {
    this.#end = writer?.onChange(() => this.#resolve()) ?? (() => undefined);
    this.#signal = signal;
    signal?.addEventListener("abort", this.#wake);
  }

  next(): Promise<void> {
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  close(): void {
    this.#end();
    this.#signal?.removeEventListener("abort", this.#wake);
  }

  readonly #wake = () => this.#resolve();
}
