import type { Server, Socket } from "node:net";
import type { Service } from "@dhow/kube";
import type { IngressController, NetworkObjects } from "@dhow/node";

/** A socket of the host's network: an entry of the ingress, or, as `80:31234`, a port of the host and the node port that it leads to. */
export type Entrance = "http" | "https" | PortEntrance;
export type PortEntrance = `${number}:${number}`;

/** What comes in through the host's sockets, and which of them the host is asked for. */
export class Entrances {
  readonly #objects: NetworkObjects;
  readonly #ingress: IngressController;
  readonly #say: (message: object) => void;
  readonly #servers = new Map<Entrance, Server>();
  readonly #open = new Map<PortEntrance, () => void>();
  #asked = new Set<PortEntrance>();

  /** `say` asks the host to open or close a port. */
  constructor(objects: NetworkObjects, ingress: IngressController, say: (message: object) => void) {
    this.#objects = objects;
    this.#ingress = ingress;
    this.#say = say;
    objects.services.onChange(() => this.#askForPorts());
    this.#askForPorts();
  }

  listen(entrance: Entrance, server: Server): void {
    this.#servers.set(entrance, server);
    if (entrance === "http" || entrance === "https") this.#ingress.attach(server, entrance);
    else {
      const nodePort = Number(entrance.split(":")[1]);
      this.#open.set(entrance, this.#closing(server, this.#ingress.attachNodePort(nodePort, server)));
    }
  }

  accept(entrance: Entrance, socket: Socket): void {
    this.#servers.get(entrance)?.emit("connection", socket);
  }

  #closing(server: Server, detach: () => void): () => void {
    return () => {
      detach();
      server.close();
    };
  }

  #askForPorts(): void {
    const wanted = new Set(this.#objects.services.list().flatMap(portEntrances));
    for (const entrance of wanted) if (!this.#asked.has(entrance)) this.#say({ type: "open-port", entrance });
    for (const entrance of this.#asked) {
      if (wanted.has(entrance)) continue;
      this.#open.get(entrance)?.();
      this.#open.delete(entrance);
      this.#say({ type: "close-port", entrance });
    }
    this.#asked = wanted;
  }
}

/** Node ports are the same outside; a load balancer answers on the Service's own port as well, as it does in a cloud. */
function portEntrances({ spec }: Service): PortEntrance[] {
  return (spec?.ports ?? []).flatMap(({ port, nodePort }): PortEntrance[] => {
    if (!nodePort) return [];
    return spec?.type === "LoadBalancer"
      ? [`${nodePort}:${nodePort}`, `${port}:${nodePort}`]
      : [`${nodePort}:${nodePort}`];
  });
}
