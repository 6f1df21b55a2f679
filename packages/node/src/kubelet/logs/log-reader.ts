import { closeSync, createReadStream, existsSync, fstatSync, openSync, read, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
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

/**
 * Files are looked up by name and opened in one turn of the event loop: the writer, which puts them aside, is of the same process, and one
 * that it puts aside between the two would be skipped.
 */
async function* lines(path: string, options: LogOptions, writer?: LogWriter): AsyncGenerator<Line[]> {
  if (!existsSync(path)) return;
  const { tailLines } = options;
  const older = rotatedFiles(path);
  if (tailLines === undefined) {
    yield* tail(path, { descriptor: openSync(older[0] ?? path, "r"), position: 0 }, options, writer);
    return;
  }
  const descriptor = openSync(path, "r");
  const end = fstatSync(descriptor).size;
  let isHandedOn = false;
  try {
    yield await lastLines(tailLines, older, { path, descriptor, end }, options);
    isHandedOn = true;
    yield* tail(path, { descriptor, position: end }, options, writer);
  } finally {
    if (!isHandedOn) closeSync(descriptor);
  }
}

interface Part {
  readonly path: string;
  readonly descriptor: number;
  readonly end: number;
}

async function lastLines(count: number, older: readonly string[], part: Part, options: LogOptions): Promise<Line[]> {
  if (count === 0) return [];
  const last: Line[] = [];
  const keep = (batch: readonly Line[]) => {
    last.push(...batch);
    if (last.length > count * 2) last.splice(0, last.length - count);
  };
  for (const file of older) for await (const batch of whole(file, options)) keep(batch);
  for await (const batch of whole(part.path, options, part)) keep(batch);
  return last.slice(Math.max(0, last.length - count));
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

/** The lines of a file; of one that is open and being written, those up to `end`. */
async function* whole(path: string, options: LogOptions, part?: Omit<Part, "path">): AsyncGenerator<Line[]> {
  if (part?.end === 0 || (!part && !existsSync(path))) return;
  const opened = part && { fd: part.descriptor, autoClose: false, start: 0, end: part.end - 1 };
  const stream = createReadStream(path, { encoding: "utf8", ...opened });
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

const readAsync = promisify(read);

/** Where reading goes on. */
interface Place {
  readonly descriptor: number;
  readonly position: number;
}

/** Reads from a place to the end, through files that were put aside, and while the run goes on and `follow` is asked, what is written later. Closes the file. */
async function* tail(path: string, from: Place, options: LogOptions, writer?: LogWriter): AsyncGenerator<Line[]> {
  let { descriptor, position } = from;
  let rest = Buffer.alloc(0);
  let complete = false;
  const buffer = Buffer.alloc(64 << 10);
  const changes = new Changes(writer, options.signal);
  try {
    for (;;) {
      // Asked for before reading: what is written while this reads is not missed.
      const ended = !options.follow || !writer || writer.closed;
      const changed = changes.next();
      const { bytesRead } = await readAsync(descriptor, buffer, 0, buffer.length, position);
      if (bytesRead > 0) {
        position += bytesRead;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(10) + 1;
        rest = bytes.subarray(end);
        const found = select(bytes.subarray(0, end).toString().split("\n").slice(0, -1), options);
        if (found.length > 0) yield found;
        continue;
      }
      const next = fileAfter(path, descriptor);
      if (next !== undefined) {
        // Put aside since it was read: it may have got its last lines in between.
        complete = !complete;
        if (complete) continue;
        closeSync(descriptor);
        descriptor = openSync(next, "r");
        position = 0;
        continue;
      }
      if (ended || options.signal?.aborted) return;
      await changed;
    }
  } finally {
    changes.close();
    closeSync(descriptor);
  }
}

/** The file that goes on where one that was put aside ends: there may have been several rotations since. Undefined for the present one. */
function fileAfter(path: string, descriptor: number): string | undefined {
  const { ino } = fstatSync(descriptor);
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
