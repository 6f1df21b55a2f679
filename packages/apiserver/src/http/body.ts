import { type HttpRequest, tooLarge } from "@dhow/kube";

/** What a request may carry (apiserver/pkg/server/config.go MaxRequestBodyBytes). */
const bodyLimit = 3 * 1024 * 1024;

const encoder = new TextEncoder();
const empty = new Uint8Array(0);

/** The whole body; throws 413 above the limit, without reading on. */
export async function readBody(body: HttpRequest["body"]): Promise<Uint8Array> {
  if (body === undefined) return empty;
  if (typeof body === "string") return checked(encoder.encode(body));
  if (body instanceof Uint8Array) return checked(body);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.byteLength;
    if (size > bodyLimit) throw tooLarge(`limit is ${bodyLimit}`);
    pieces.push(piece);
  }
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
}

function checked(body: Uint8Array): Uint8Array {
  if (body.byteLength > bodyLimit) throw tooLarge(`limit is ${bodyLimit}`);
  return body;
}
