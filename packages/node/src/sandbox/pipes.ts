import { closeSync, constants, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { run } from "./programs.ts";

/** A pipe: the reading end as a stream, the writing end as a descriptor for a child process. */
export interface Pipe {
  readonly reader: Socket;
  readonly writer: number;
}

/**
 * Makes pipes. Those that Node makes for a child are sockets, which cannot be opened again by name: a program that opens /dev/stdout, as
 * nginx does for its log, needs the real thing. A FIFO is one.
 */
export class PipeMaker {
  readonly #folder: string;
  #made = 0;
  #spare: string[] = [];
  #making: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async make(): Promise<Pipe> {
    while (this.#spare.length === 0) await this.#refill();
    const path = this.#spare.pop() ?? "";
    // The reader first and without blocking; without a writer it would be at its end at once, so nothing is read before the writer is open.
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return { reader: new Socket({ fd: reader, readable: true, writable: false }), writer };
  }

  /** One process makes many, since a process is what costs. */
  #refill(): Promise<unknown> {
    const paths = Array.from({ length: 16 }, () => join(this.#folder, `pipe${(this.#made += 1)}`));
    this.#making = this.#making.then(async () => {
      if (this.#spare.length > 0) return;
      await run(["mkfifo", "--mode=666", ...paths]);
      this.#spare.push(...paths);
    });
    return this.#making;
  }
}

export function closeWriters(pipes: readonly Pipe[]): void {
  for (const pipe of pipes) closeSync(pipe.writer);
}
