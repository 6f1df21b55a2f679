import { Readable } from "node:stream";
import { type HttpRequest, tooLarge } from "@dhow/kube";

/** What a request may carry (apiserver/pkg/server/config.go MaxRequestBodyBytes). */
const bodyLimit = 3 * 1024 * 1024;

const encoder = new TextEncoder();
const empty = new Uint8Array(0);

/** The whole body; throws 413 above the limit, without keeping what else comes. */
export async function readBody(body: HttpRequest["body"]): Promise<Uint8Array> {
  if (body === undefined) return empty;
  if (typeof body === "string") return checked(encoder.encode(body));
  if (body instanceof Uint8Array) return checked(body);
  return body instanceof Readable ? readStream(body) : readPieces(body);
}

async function readPieces(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.byteLength;
    if (size > bodyLimit) throw tooLarge(`limit is ${bodyLimit}`);
    pieces.push(piece);
  }
  return together(pieces);
}

/** As `readPieces`, by the stream's own events: an iterator over a stream costs more than most bodies. */
function readStream(body: Readable): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let size = 0;
    body.on("data", (piece: Uint8Array) => {
      size += piece.byteLength;
      if (size <= bodyLimit) pieces.push(piece);
      else if (size - piece.byteLength <= bodyLimit) {
        // Answered now; what still comes is dropped, so that the connection can be used again.
        pieces.length = 0;
        reject(tooLarge(`limit is ${bodyLimit}`));
      }
    });
    body.on("end", () => resolve(together(pieces)));
    body.on("error", reject);
    body.on("close", () => {
      if (!body.readableEnded) reject(new Error("the client closed the connection before its body was complete"));
    });
  });
}

function together(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
}

function checked(body: Uint8Array): Uint8Array {
  if (body.byteLength > bodyLimit) throw tooLarge(`limit is ${bodyLimit}`);
  return body;
}
