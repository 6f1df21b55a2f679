// Requests as the strictest client sends them: each once, whatever becomes of it. Neither node:http nor its Agent ever sends one again.
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { PeerCertificate, TLSSocket } from "node:tls";

/** A way into the system: a port of this machine, the name that is asked for there, and the certificate that is believed. */
export interface Door {
  readonly port: number;
  readonly host?: string;
  /** HTTPS where it says whom to believe, asked anew for each connection: PEM. */
  readonly authority?: () => string;
}

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string | undefined;
  /** Idempotency-Key. */
  readonly key?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** What the answer holds; the tests look at answers of every kind. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  /** Of the server that answered, over HTTPS. */
  readonly certificate?: PeerCertificate;
}

/** Milliseconds without an answer that count as none. */
export const longest = 10_000;

/** One client: connections of its own, kept as a browser keeps them. */
export class Client {
  readonly #door: Door;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(door: Door, keepAlive = true) {
    this.#door = door;
    this.#agent = door.authority ? new HttpsAgent({ keepAlive }) : new HttpAgent({ keepAlive });
  }

  /** Rejects with what went wrong on the wire, or when there is no whole answer in ten seconds. */
  send({ method, path, body, token, key }: Sent): Promise<Answer> {
    const { port, host, authority } = this.#door;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = {
      ...(host !== undefined && { host }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(key !== undefined && { "idempotency-key": key }),
      ...(text !== undefined && { "content-type": "application/json", "content-length": `${Buffer.byteLength(text)}` }),
    };
    const signal = AbortSignal.timeout(longest);
    const common = { host: "127.0.0.1", port, method, path, headers, agent: this.#agent, signal };
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(signal.aborted ? new Error("no answer in 10 s") : error);
      const request = authority
        ? httpsRequest({ ...common, servername: host ?? "localhost", ca: authority() })
        : httpRequest(common);
      request.on("error", fail).on("response", (response) => {
        const socket = response.socket as Partial<TLSSocket>;
        const certificate = socket.getPeerCertificate?.();
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", fail);
        response.on("end", () => {
          const { statusCode: status = 0, headers: answered } = response;
          const json = answered["content-type"]?.includes("json") ?? false;
          const said = Buffer.concat(chunks).toString();
          resolve({
            status,
            headers: answered,
            body: json ? JSON.parse(said) : said,
            ...(certificate && { certificate }),
          });
        });
      });
      request.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
