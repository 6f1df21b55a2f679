import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { http } from "@dhow/base/http";
import type { Place } from "./backends.ts";
import { endToEndHeaders } from "./headers.ts";
import { answerPlainly } from "./plain-answer.ts";
import { mostTries, placeToTry } from "./tries.ts";

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

/**
 * Whether asking twice does what asking once does: by its method, or because the client gave it a key, by which the service knows a
 * repetition (draft-ietf-httpapi-idempotency-key-header; RFC 9110, 9.2.2, lets what is known to be idempotent be repeated).
 */
export function isRepeatable({ method, headers }: Pick<IncomingMessage, "method" | "headers">): boolean {
  return idempotent.has(method ?? "") || headers["idempotency-key"] !== undefined;
}

/** Bodies up to this size are held, where a second try may need the client's again, or may have to replace half an answer. */
const heldBytes = 64 * 1024;

/** Milliseconds for a connection to a pod: nginx' proxy_connect_timeout in ingress-nginx. An address that is no longer anybody's answers nothing. */
const connectTimeout = 5000;

/** Carries one request to a pod and its answer back. A pod that refuses the connection, or breaks it before its answer is whole, is passed over for another. */
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
    const place = await placeToTry((failed) => forwarding.next(failed), tried);
    if (response.destroyed) return;
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
  if (chunked || announced > heldBytes || !isRepeatable(request)) return undefined;
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
    return !this.#connected || isRepeatable(this.#request);
  }

  /** Resolves when the answer has been passed on, or with why there is none. */
  run(place: Place): Promise<Failure | undefined> {
    const { agent, path, headers, readTimeout } = this.#forwarding;
    const upstream = http.request({
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
      const connecting = setTimeout(() => fail("refused"), connectTimeout);
      upstream.once("close", () => clearTimeout(connecting));
      upstream.once("socket", (socket) => {
        const begin = () => {
          clearTimeout(connecting);
          this.#connected = true;
          this.#sendBody(upstream, fail);
        };
        if (socket.connecting) socket.once("connect", begin);
        else begin();
      });
      upstream.setTimeout(readTimeout, () => fail(this.#connected ? "answer too late" : "refused"));
      upstream.on("error", () => fail(this.#connected ? "broken" : "refused"));
      upstream.once("response", (answer) => {
        void this.#hold(answer).then(
          (whole) => {
            this.#response.off("close", clientGone);
            void this.#passOn(answer, whole).then(() => resolve(undefined));
          },
          () => fail("broken"),
        );
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

  /** The whole body of a short answer, where one that breaks off can be asked for again; undefined for one that is passed on as it comes. */
  async #hold(answer: IncomingMessage): Promise<Buffer | undefined> {
    const length = Number(answer.headers["content-length"] ?? Number.NaN);
    if (!(length <= heldBytes) || !this.mayBeRepeated) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** An answer that breaks off must not look complete: the client's connection breaks, too. */
  #passOn(answer: IncomingMessage, whole: Buffer | undefined): Promise<void> {
    const response = this.#response;
    const headers = endToEndHeaders(answer.rawHeaders, answer.headers.connection);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", headers);
    if (whole !== undefined) {
      response.end(whole);
      return Promise.resolve();
    }
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
