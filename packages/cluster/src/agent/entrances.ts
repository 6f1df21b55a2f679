import type { Server } from "node:net";
import type { Service } from "@dhow/kube";
import type { IngressController, NetworkObjects } from "@dhow/node";

/** A socket of the host's network: an entry of the ingress, or a node port. */
export type Entrance = "http" | "https" | number;

/** What comes in through the host's sockets, and which of them the host is asked for. */
export class Entrances {
  readonly #objects: NetworkObjects;
  readonly #ingress: IngressController;
  readonly #say: (message: object) => void;
  readonly #open = new Map<number, () => void>();
  #asked = new Set<number>();

  /** `say` asks the host to open or close a node port. */
  constructor(objects: NetworkObjects, ingress: IngressController, say: (message: object) => void) {
    this.#objects = objects;
    this.#ingress = ingress;
    this.#say = say;
    objects.services.onChange(() => this.#askForNodePorts());
    this.#askForNodePorts();
  }

  listen(entrance: Entrance, server: Server): void {
    if (typeof entrance === "string") this.#ingress.attach(server, entrance);
    else this.#open.set(entrance, this.#closing(server, this.#ingress.attachNodePort(entrance, server)));
  }

  #closing(server: Server, detach: () => void): () => void {
    return () => {
      detach();
      server.close();
    };
  }

  #askForNodePorts(): void {
    const wanted = new Set(this.#objects.services.list().flatMap(nodePorts));
    for (const port of wanted) if (!this.#asked.has(port)) this.#say({ type: "open-node-port", port });
    for (const port of this.#asked) {
      if (wanted.has(port)) continue;
      this.#open.get(port)?.();
      this.#open.delete(port);
      this.#say({ type: "close-node-port", port });
    }
    this.#asked = wanted;
  }
}

function nodePorts(service: Service): number[] {
  return (service.spec?.ports ?? []).flatMap((port) => (port.nodePort ? [port.nodePort] : []));
}
