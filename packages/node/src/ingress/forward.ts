import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import type { Place } from "./backends.ts";
import { endToEndHeaders } from "./headers.ts";
import { answerPlainly } from "./plain-answer.ts";

export interface Forwarding {
  readonly agent: Agent;
  /** As the pod is asked: path and query. */
  readonly path: string;
  readonly headers: readonly string[];
  readonly bodyLimit: number;
  /** Milliseconds. */
  readonly readTimeout: number;
  /** The pod to try next, given those that were tried. */
  next(tried: readonly Place[]): Place | undefined;
}

/** RFC 9110, 9.2.2. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Whether asking twice does what asking once does. */
export function isIdempotent(method: string | undefined): boolean {
  return idempotent.has(method ?? "");
}

/** nginx' proxy_next_upstream_tries in ingress-nginx. */
const mostTries = 3;

/** Bodies up to this size are read first where a second try may need them again. */
const replayableBytes = 64 * 1024;

/** Carries one request to a pod and its answer back. A pod that refuses the connection, or breaks it before a byte of the answer, is passed over for another. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  forwarding: Forwarding,
): Promise<void> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > forwarding.bodyLimit) {
    answerPlainly(response, 413);
    return;
  }
  const body = await readSmall(request, announced);
  const tried: Place[] = [];
  for (;;) {
    const place = forwarding.next(tried);
    if (place === undefined) {
      answerPlainly(response, 503);
      return;
    }
    tried.push(place);
    const attempt = new Attempt(request, response, forwarding, body);
    const failure = await attempt.run(place);
    if (failure === undefined || response.headersSent || response.destroyed) return;
    if (failure === "answer too late" || tried.length >= mostTries || !attempt.mayBeRepeated) {
      answerPlainly(response, failure === "answer too late" ? 504 : failure === "body too large" ? 413 : 502);
      return;
    }
  }
}

/** The whole body where it is short and the method allows a second try; undefined for one that is passed on as it comes. */
async function readSmall(request: IncomingMessage, announced: number): Promise<Buffer | undefined> {
  const chunked = request.headers["transfer-encoding"] !== undefined;
  if (announced === 0 && !chunked) return Buffer.alloc(0);
  if (chunked || announced > replayableBytes || !isIdempotent(request.method)) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

type Failure = "refused" | "broken" | "answer too late" | "body too large";

class Attempt {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #forwarding: Forwarding;
  readonly #body: Buffer | undefined;
  #connected = false;
  #bodyBegun = false;

  constructor(request: IncomingMessage, response: ServerResponse, forwarding: Forwarding, body: Buffer | undefined) {
    this.#request = request;
    this.#response = response;
    this.#forwarding = forwarding;
    this.#body = body;
  }

  /** A pod that never had the request cannot have acted on it; one that may have is asked again only for what can be done twice. */
  get mayBeRepeated(): boolean {
    if (this.#bodyBegun) return false;
    return !this.#connected || isIdempotent(this.#request.method);
  }

  /** Resolves when the answer has been passed on, or with why there is none. */
  run(place: Place): Promise<Failure | undefined> {
    const { agent, path, headers, readTimeout } = this.#forwarding;
    const upstream = httpRequest({
      agent,
      host: place.address,
      port: place.port,
      method: this.#request.method,
      path,
      headers: this.#request.headers["transfer-encoding"] ? [...headers, "Transfer-Encoding", "chunked"] : [...headers],
      setDefaultHeaders: false,
    });
    return new Promise((resolve) => {
      const clientGone = () => {
        upstream.destroy();
        resolve(undefined);
      };
      this.#response.once("close", clientGone);
      const fail = (failure: Failure) => {
        this.#response.off("close", clientGone);
        upstream.destroy();
        resolve(failure);
      };
      upstream.once("socket", (socket) => {
        const begin = () => {
          this.#connected = true;
          this.#sendBody(upstream, fail);
        };
        if (socket.connecting) socket.once("connect", begin);
        else begin();
      });
      upstream.setTimeout(readTimeout, () => fail(this.#connected ? "answer too late" : "refused"));
      upstream.on("error", () => fail(this.#connected ? "broken" : "refused"));
      upstream.once("response", (answer) => {
        this.#response.off("close", clientGone);
        void this.#passOn(answer).then(() => resolve(undefined));
      });
    });
  }

  #sendBody(upstream: ClientRequest, fail: (failure: Failure) => void): void {
    if (this.#body !== undefined) {
      upstream.end(this.#body);
      return;
    }
    this.#bodyBegun = true;
    let bytes = 0;
    this.#request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > this.#forwarding.bodyLimit) fail("body too large");
    });
    this.#request.pipe(upstream);
  }

  /** An answer that breaks off must not look complete: the client's connection breaks, too. */
  #passOn(answer: IncomingMessage): Promise<void> {
    const response = this.#response;
    const headers = endToEndHeaders(answer.rawHeaders, answer.headers.connection);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", headers);
    // What is not there yet may take long; the client sees at once that the answer has begun.
    if (answer.headers["content-length"] === undefined) response.flushHeaders();
    return new Promise((resolve) => {
      answer.pipe(response);
      answer.once("error", () => response.destroy());
      answer.once("aborted", () => response.destroy());
      response.once("close", () => {
        if (!answer.complete) answer.destroy();
        resolve();
      });
    });
  }
}
