import { createRequire } from "node:module";
import type { Reader } from "protobufjs";

type ReaderType = typeof Reader;

let readerType: ReaderType | undefined;

/** A reader of protobuf's wire format; the library is loaded when the first body comes. */
export function readerOf(bytes: Uint8Array): Reader {
  readerType ??= (createRequire(import.meta.url)("protobufjs/minimal") as { Reader: ReaderType }).Reader;
  return readerType.create(bytes);
}

/** The inside of a length-delimited field. */
export function innerReader(reader: Reader): Reader {
  return readerOf(reader.bytes());
}

/** Calls `read` with the number and wire type of each field; what it does not consume (returns false) is skipped. */
export function eachField(reader: Reader, read: (number: number, wireType: number) => boolean): void {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 0) throw new Error(`illegal tag 0 (wire type ${tag & 7})`);
    if (!read(tag >>> 3, tag & 7)) reader.skipType(tag & 7);
  }
}

/** A 64-bit integer as a number; beyond 2^53 it is inexact, as it is in JSON read by JavaScript. */
export function int64(reader: Reader): number {
  return Number(reader.int64());
}
