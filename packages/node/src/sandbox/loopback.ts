import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { toolPath } from "./programs.ts";

/** What the relay in the pod's network says about one connection. */
export interface RelayAnswer {
  readonly id: number;
  readonly error?: string;
}

const program = fileURLToPath(new URL(`./loopback-relay${import.meta.url.slice(-3)}`, import.meta.url));

interface Waiting {
  resolve(socket: Socket): void;
  reject(error: Error): void;
}

/**
 * Connections to a pod's own loopback. A socket belongs to the network where it was made and can be handed on: a small Node process in
 * the pod's network makes it, hands it over, and goes when nobody has asked for a while.
 */
export class LoopbackConnector {
  readonly #networkNamespace: string;
  readonly #waiting = new Map<number, Waiting>();
  #relay: ChildProcess | undefined;
  #next = 0;

  constructor(networkNamespace: string) {
    this.#networkNamespace = networkNamespace;
  }

  connect(port: number): Promise<Socket> {
    const relay = (this.#relay ??= this.#start());
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      relay.send({ id, port }, (error) => error && this.#settle(id)?.reject(error));
    });
  }

  close(): void {
    this.#relay?.kill("SIGKILL");
  }

  #start(): ChildProcess {
    const argv = [`--net=${this.#networkNamespace}`, process.execPath, program];
    const env = { PATH: toolPath };
    const relay = spawn("nsenter", argv, { env, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    relay.on("message", (answer: RelayAnswer, socket?: unknown) => {
      const waiting = this.#settle(answer.id);
      if (socket) waiting?.resolve(socket as Socket);
      else waiting?.reject(new Error(answer.error ?? "no connection"));
    });
    const gone = () => {
      if (this.#relay === relay) this.#relay = undefined;
      for (const id of this.#waiting.keys()) this.#settle(id)?.reject(new Error("the pod has gone"));
    };
    relay.on("error", gone);
    relay.on("exit", gone);
    relay.unref();
    relay.channel?.unref();
    return relay;
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
