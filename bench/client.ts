import { connect, type TLSSocket } from "node:tls";
import { type IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { Connection } from "@dhow/kube";
import { AnswerReader, type Answer } from "./answer-reader.ts";

export type { Answer } from "./answer-reader.ts";

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
}

/**
 * The load generator's client: HTTPS with kept-alive connections, `sockets` of them at most. It writes and reads HTTP/1.1 itself, one request at a time on each connection, as what it costs
 * is a part of every figure of both servers: a third of what Node's own client does.
 */
export class LoadClient {
  readonly #server: URL;
  readonly #ca: Connection["ca"];
  readonly #token: string;
  readonly #sockets: number;
  readonly #idle: Line[] = [];
  readonly #waiting: ((line: Line) => void)[] = [];
  readonly #streams: Agent;
  #open = 0;

  constructor(connection: Connection, sockets: number) {
    this.#server = new URL(connection.server);
    this.#ca = connection.ca;
    this.#token = connection.token ?? "";
    this.#sockets = sockets;
    this.#streams = new Agent({ keepAlive: true, maxSockets: sockets, ca: connection.ca });
  }

  /** Throws where the server does not answer with a success. */
  async send(sent: Sent): Promise<Answer> {
    const answer = await this.try(sent);
    if (answer.status < 300) return answer;
    throw new Error(`${sent.method ?? "GET"} ${sent.path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }

  /** Sends and does not mind a refusal. */
  async try(sent: Sent): Promise<Answer> {
    const line = this.#idle.pop() ?? (await this.#line());
    try {
      return await line.exchange(this.#text(sent));
    } finally {
      this.#release(line);
    }
  }

  /** Opens an answer that goes on, such as a watch. */
  stream(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { hostname: host, port } = this.#server;
      const sent = request({
        agent: this.#streams,
        host,
        port,
        path,
        headers: { authorization: `Bearer ${this.#token}` },
      });
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
    for (const line of this.#idle) line.close();
    this.#streams.destroy();
  }

  async #line(): Promise<Line> {
    if (this.#open >= this.#sockets) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#open++;
    return Line.open(this.#server, this.#ca);
  }

  #release(line: Line): void {
    const next = this.#waiting.shift();
    if (!line.broken && next) next(line);
    else if (!line.broken) this.#idle.push(line);
    else {
      this.#open--;
      if (next) void this.#line().then(next);
    }
  }

  #text({ method = "GET", path, body, contentType = "application/json", accept }: Sent): string {
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#server.host}\r\nauthorization: Bearer ${this.#token}\r\n`;
    const accepts = accept ? `accept: ${accept}\r\n` : "";
    if (body === undefined) return `${head}${accepts}\r\n`;
    return `${head}${accepts}content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }
}

/** One connection. */
class Line {
  readonly #socket: TLSSocket;
  #reader: AnswerReader | undefined;
  #settle: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  broken = false;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (piece: Buffer) => this.#read(piece));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static open({ hostname: host, port }: URL, ca: Connection["ca"]): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port), ...(ca ? { ca } : {}) }, () => resolve(new Line(socket)));
      socket.once("error", reject);
    });
  }

  exchange(text: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(new Error("the server closed the connection"));
      this.#reader = new AnswerReader();
      this.#settle = { resolve, reject };
      this.#socket.write(text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(piece: Buffer): void {
    const answer = this.#reader?.push(piece);
    if (!answer) return;
    this.#reader = undefined;
    this.#settle?.resolve(answer);
  }

  #fail(error: Error): void {
    this.broken = true;
    this.#settle?.reject(error);
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
