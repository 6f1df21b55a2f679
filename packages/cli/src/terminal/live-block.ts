import { stripVTControlCharacters } from "node:util";

/** Lines at the end of a terminal that are drawn again in place. */
export class LiveBlock {
  readonly #stream: NodeJS.WriteStream;
  #lines: readonly string[] = [];

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    const fitting = lines.slice(-Math.max(this.#stream.rows - 1, 1)).map((line) => this.#cut(line));
    // One write, so that nobody sees the terminal half drawn.
    this.#stream.write(this.#clear() + fitting.map((line) => `${line}\n`).join(""));
    this.#lines = fitting;
  }

  /** Lines that stay, above the block. */
  print(lines: readonly string[]): void {
    this.#stream.write(this.#clear() + lines.map((line) => `${line}\n`).join(""));
    const block = this.#lines;
    this.#lines = [];
    this.draw(block);
  }

  /** What is drawn now stays. */
  end(): void {
    this.#lines = [];
  }

  /** Goes up over the block and erases to the end of the screen (ECMA-48 CUU and ED). */
  #clear(): string {
    return this.#lines.length > 0 ? `\u001B[${this.#lines.length}A\u001B[0J` : "";
  }

  /** A line that wraps would be two, and the block would creep. */
  #cut(line: string): string {
    const columns = this.#stream.columns || 80;
    const plain = stripVTControlCharacters(line);
    return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
  }
}
