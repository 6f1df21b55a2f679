import { Agent, type RequestOptions, request } from "node:https";
import type { IncomingMessage } from "node:http";
import type { Connection } from "@dhow/kube";

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
}

/** The load generator's client: HTTPS with kept-alive connections, `sockets` of them at most, and nothing clever: what it costs is the same for both servers. */
export class LoadClient {
  readonly #agent: Agent;
  readonly #base: RequestOptions;
  readonly #token: string;

  constructor(connection: Connection, sockets: number) {
    const server = new URL(connection.server);
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets, ca: connection.ca });
    this.#base = { host: server.hostname, port: server.port, agent: this.#agent };
    this.#token = `Bearer ${connection.token}`;
  }

  /** Throws where the server does not answer with a success. */
  async send(sent: Sent): Promise<Answer> {
    const answer = await this.#exchange(sent);
    if (answer.status < 300) return answer;
    throw new Error(`${sent.method ?? "GET"} ${sent.path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  /** Sends and does not mind a refusal. */
  async try(sent: Sent): Promise<Answer> {
    return this.#exchange(sent);
  }

  /** Opens an answer that goes on, such as a watch. */
  stream(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = request({ ...this.#base, path, headers: { authorization: this.#token } });
      sent.on("error", reject);
      sent.on("response", (response) => {
        response.on("error", () => undefined);
        if (response.statusCode === 200) resolve(response);
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange({ method = "GET", path, body, contentType = "application/json", accept }: Sent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { authorization: this.#token };
      if (accept) headers["accept"] = accept;
      if (body !== undefined) {
        headers["content-type"] = contentType;
        headers["content-length"] = Buffer.byteLength(body);
      }
      const sent = request({ ...this.#base, method, path, headers });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        response.on("data", (piece: Buffer) => {
          bytes += piece.length;
          pieces.push(piece);
        });
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          resolve({ status, bytes, text: status < 300 && bytes > 65_536 ? "" : Buffer.concat(pieces).toString() });
        });
      });
      sent.end(body);
    });
  }
}

/** Calls `action` for 0 … count-1, `workers` of them at a time. */
export async function each(count: number, workers: number, action: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: Math.min(workers, count) }, work));
}
