/** The frames of SPDY/3.1 (draft 3.1, section 2.6), as far as client-go and the kubelet use them. */
export const FrameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** The last frame of its sender on this stream. */
export const flagFin = 0x01;

const version = 3;
const headerLength = 8;
const maximumLength = 0xffffff;

export type Frame =
  | { readonly kind: "data"; readonly stream: number; readonly flags: number; readonly payload: Buffer }
  | { readonly kind: "control"; readonly type: number; readonly flags: number; readonly payload: Buffer };

export function dataFrame(stream: number, flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(headerLength + payload.length);
  frame.writeUInt32BE(stream & 0x7fffffff, 0);
  frame.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  frame.set(payload, headerLength);
  return frame;
}

export function controlFrame(type: number, flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(headerLength + payload.length);
  frame.writeUInt16BE(0x8000 | version, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  frame.set(payload, headerLength);
  return frame;
}

/** Cuts a byte stream into frames, whatever the pieces in which it arrives. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and gives the frames that are whole now. Throws on a version that is not SPDY/3. */
  push(bytes: Uint8Array): Frame[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (this.#rest.length >= headerLength) {
      const length = this.#rest.readUInt32BE(4) & maximumLength;
      if (this.#rest.length < headerLength + length) break;
      frames.push(parse(this.#rest.subarray(0, headerLength + length)));
      this.#rest = this.#rest.subarray(headerLength + length);
    }
    return frames;
  }
}

function parse(bytes: Buffer): Frame {
  const first = bytes.readUInt32BE(0);
  const flags = bytes[4] ?? 0;
  const payload = bytes.subarray(headerLength);
  if ((first & 0x80000000) === 0) return { kind: "data", stream: first, flags, payload };
  const spoken = (first >>> 16) & 0x7fff;
  if (spoken !== version) throw new Error(`SPDY version ${spoken} is not spoken here`);
  return { kind: "control", type: first & 0xffff, flags, payload };
}
