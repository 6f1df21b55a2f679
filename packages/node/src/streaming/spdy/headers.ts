import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { dictionary } from "./dictionary.ts";

/** Names are lower case; values of a repeated name are joined by a zero byte on the wire, by a comma here. */
export type Headers = Readonly<Record<string, string>>;

/** Compresses the header blocks of one direction of a connection: one zlib stream from the first block to the last. */
export class HeaderDeflater {
  readonly #deflate: Deflate = createDeflate({ dictionary });
  #pieces: Buffer[] = [];

  constructor() {
    this.#deflate.on("data", (piece: Buffer) => this.#pieces.push(piece));
    this.#deflate.on("error", () => undefined);
  }

  encode(headers: Headers): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#deflate.write(encodeBlock(headers), (error) => {
        if (error) return reject(error);
        this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
          const block = Buffer.concat(this.#pieces);
          this.#pieces = [];
          resolve(block);
        });
      });
    });
  }

  close(): void {
    this.#deflate.destroy();
  }
}

export class HeaderInflater {
  readonly #inflate: Inflate = createInflate({ dictionary });
  #pieces: Buffer[] = [];

  constructor() {
    this.#inflate.on("data", (piece: Buffer) => this.#pieces.push(piece));
    this.#inflate.on("error", () => undefined);
  }

  decode(block: Uint8Array): Promise<Headers> {
    return new Promise((resolve, reject) => {
      this.#inflate.write(block, (error) => {
        if (error) return reject(error);
        const bytes = Buffer.concat(this.#pieces);
        this.#pieces = [];
        resolve(decodeBlock(bytes));
      });
    });
  }

  close(): void {
    this.#inflate.destroy();
  }
}

function encodeBlock(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    number(bytes.length);
    parts.push(bytes);
  };
  number(Object.keys(headers).length);
  for (const [name, value] of Object.entries(headers)) {
    text(name.toLowerCase());
    text(value);
  }
  return Buffer.concat(parts);
}

function decodeBlock(bytes: Buffer): Headers {
  let offset = 0;
  const number = () => {
    const value = bytes.readUInt32BE(offset);
    offset += 4;
    return value;
  };
  const text = () => {
    const length = number();
    const value = bytes.toString("utf8", offset, offset + length);
    offset += length;
    return value;
  };
  const headers: Record<string, string> = {};
  for (let left = number(); left > 0; left--) {
    const name = text();
    headers[name] = text().replaceAll("\0", ",");
  }
  return headers;
}
