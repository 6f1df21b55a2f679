export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** Left out of large answers, which are only counted. */
  readonly text: string;
}

const large = 65_536;
const blankLine = Buffer.from("\r\n\r\n");
const endOfLine = Buffer.from("\r\n");

/** Reads one HTTP/1.1 answer out of the pieces in which it comes: of a known length, or in chunks (RFC 9112, 6 and 7.1). */
export class AnswerReader {
  #pending: Buffer = Buffer.alloc(0);
  #status = 0;
  #inHead = true;
  #chunked = false;
  /** Of the body, or of the chunk with its end of line. */
  #left = 0;
  #bytes = 0;
  readonly #body: Buffer[] = [];

  /** The answer, once it is complete. */
  push(piece: Buffer): Answer | undefined {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, piece]) : piece;
    this.#pending = Buffer.alloc(0);
    if (this.#inHead) {
      const end = rest.indexOf(blankLine);
      if (end < 0) return this.#wait(rest);
      this.#head(rest.toString("latin1", 0, end));
      rest = rest.subarray(end + blankLine.length);
    }
    return this.#chunked ? this.#chunks(rest) : this.#plain(rest);
  }

  #wait(rest: Buffer): undefined {
    this.#pending = rest;
  }

  #head(text: string): void {
    this.#inHead = false;
    this.#status = Number(text.slice(9, 12));
    this.#chunked = /\r\ntransfer-encoding: *chunked/i.test(text);
    this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
  }

  #plain(rest: Buffer): Answer | undefined {
    this.#take(rest);
    this.#left -= rest.length;
    return this.#left > 0 ? undefined : this.#answer();
  }

  #chunks(given: Buffer): Answer | undefined {
    let rest = given;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const data = rest.subarray(0, this.#left);
        this.#take(data.subarray(0, Math.max(0, Math.min(data.length, this.#left - endOfLine.length))));
        this.#left -= data.length;
        rest = rest.subarray(data.length);
        continue;
      }
      const end = rest.indexOf(endOfLine);
      if (end < 0) return this.#wait(rest);
      const size = Number.parseInt(rest.toString("latin1", 0, end), 16);
      // The last chunk is followed by a blank line, which must not be taken for the beginning of the next answer.
      if (size === 0) return rest.length < end + blankLine.length ? this.#wait(rest) : this.#answer();
      this.#left = size + endOfLine.length;
      rest = rest.subarray(end + endOfLine.length);
    }
    return undefined;
  }

  #take(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= large) this.#body.push(piece);
  }

  #answer(): Answer {
    const text = this.#bytes > large ? "" : Buffer.concat(this.#body).toString();
    return { status: this.#status, bytes: this.#bytes, text };
  }
}
