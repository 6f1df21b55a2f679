import type { Server, Socket } from "node:net";
import type { Service } from "@dhow/kube";
import type { IngressController, NetworkObjects } from "@dhow/node";

/** A socket of the host's network: an entry of the ingress, a node's kubelet, or, as `80:31234`, a port of the host and the node port that it leads to. */
export type Entrance = "http" | "https" | KubeletEntrance | PortEntrance;
export type KubeletEntrance = `kubelet/${string}`;
export type PortEntrance = `${number}:${number}`;

export interface EntrancesOptions {
  readonly objects: NetworkObjects;
  readonly ingress: IngressController;
  /** Gives the connections of a listening socket to a kubelet. */
  readonly attachKubelet: (entrance: KubeletEntrance, server: Server) => void;
  /** Asks the host to open or close a port. */
  readonly say: (message: object) => void;
}

/** What comes in through the host's sockets, and which of them the host is asked for. */
export class Entrances {
  readonly #options: EntrancesOptions;
  readonly #servers = new Map<Entrance, Server>();
  readonly #open = new Map<PortEntrance, () => void>();
  #asked = new Set<PortEntrance>();

  constructor(options: EntrancesOptions) {
    this.#options = options;
    options.objects.services.onChange(() => this.#askForPorts());
    this.#askForPorts();
  }

  listen(entrance: Entrance, server: Server): void {
    this.#servers.set(entrance, server);
    const { ingress, attachKubelet } = this.#options;
    if (entrance === "http" || entrance === "https") ingress.attach(server, entrance);
    else if (isKubelet(entrance)) attachKubelet(entrance, server);
    else {
      const nodePort = Number(entrance.split(":")[1]);
      this.#open.set(entrance, this.#closing(server, ingress.attachNodePort(nodePort, server)));
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
    const { objects, say } = this.#options;
    const wanted = new Set(objects.services.list().flatMap(portEntrances));
    for (const entrance of wanted) if (!this.#asked.has(entrance)) say({ type: "open-port", entrance });
    for (const entrance of this.#asked) {
      if (wanted.has(entrance)) continue;
      this.#open.get(entrance)?.();
      this.#open.delete(entrance);
      say({ type: "close-port", entrance });
    }
    this.#asked = wanted;
  }
}

function isKubelet(entrance: KubeletEntrance | PortEntrance): entrance is KubeletEntrance {
  return entrance.startsWith("kubelet/");
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
