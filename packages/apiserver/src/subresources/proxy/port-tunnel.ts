import { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { dialFailure } from "./kubelet.ts";

const dataChannel = 0;
const errorChannel = 1;

/**
 * A connection to a port of a pod, through its kubelet's port-forward in the WebSocket form: channel 0 carries data, channel 1
 * errors, and each begins with the port as two bytes (cri-streaming/pkg/streaming/portforward/websocket.go).
 */
export async function tunnelToPort(kubelet: Duplex, namespace: string, pod: string, port: number): Promise<Duplex> {
  const url = `ws://kubelet/portForward/${namespace}/${pod}?port=${port}`;
  const socket = new WebSocket(url, ["v4.channel.k8s.io"], { createConnection: () => kubelet });
  // Before it is open: the first messages may come with the answer to the upgrade.
  const tunnel = new PortTunnel(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    tunnel.once("error", (error) => reject(dialFailure(error)));
  });
  return tunnel;
}

class PortTunnel extends Duplex {
  readonly #socket: WebSocket;
  /** Channels whose first message, the port, has come. */
  readonly #begun = new Set<number>();

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on("message", (message: Buffer) => this.#receive(message));
    socket.on("close", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
  }

  #receive(message: Buffer): void {
    const channel = message[0] ?? -1;
    let payload = message.subarray(1);
    if (!this.#begun.has(channel)) {
      this.#begun.add(channel);
      payload = payload.subarray(2);
    }
    if (payload.length === 0) return;
    if (channel === errorChannel) this.destroy(dialFailure(new Error(payload.toString("utf8"))));
    else if (channel === dataChannel && !this.push(payload)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(piece: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.from([dataChannel]), piece]), (error) => done(error ?? null));
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}
