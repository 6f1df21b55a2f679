import { connect, type Server, type Socket } from "node:net";
import type { Reporter } from "@dhow/base";
import type { KubeClient, Service } from "@dhow/kube";
import type { NetworkObjects } from "@dhow/node";

export interface EntrancesOptions {
  readonly client: KubeClient;
  readonly objects: NetworkObjects;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Asks the host to open a port on its network. */
  readonly say: (message: object) => void;
}

/** What comes in through the host's sockets: the ingress, and a door for each node port. */
export class Entrances {
  readonly #options: EntrancesOptions;
  readonly #asked = new Set<number>();

  constructor(options: EntrancesOptions) {
    this.#options = options;
    options.objects.services.onChange(() => this.#askForNodePorts());
    this.#askForNodePorts();
  }

  listen(purpose: "ingress" | number, server: Server): void {
    server.on("connection", (socket) => {
      if (purpose === "ingress") socket.destroy();
      else this.#throughNodePort(socket, purpose);
    });
  }

  close(): void {}

  #throughNodePort(socket: Socket, port: number): void {
    const service = this.#options.objects.services.list().find((each) => nodePorts(each).includes(port));
    const servicePort = service?.spec?.ports?.find((each) => each.nodePort === port)?.port;
    if (!service?.spec?.clusterIP || servicePort === undefined) {
      socket.destroy();
      return;
    }
    const inside = connect({ host: service.spec.clusterIP, port: servicePort });
    socket.pipe(inside).pipe(socket);
    for (const each of [socket, inside]) each.on("error", () => [socket, inside].forEach((other) => other.destroy()));
    socket.resume();
  }

  #askForNodePorts(): void {
    const wanted = new Set(this.#options.objects.services.list().flatMap(nodePorts));
    for (const port of wanted) if (!this.#asked.has(port)) this.#options.say({ type: "open-node-port", port });
    for (const port of this.#asked) if (!wanted.has(port)) this.#options.say({ type: "close-node-port", port });
    this.#asked.clear();
    for (const port of wanted) this.#asked.add(port);
  }
}

function nodePorts(service: Service): number[] {
  return (service.spec?.ports ?? []).flatMap((port) =>
    port.nodePort === undefined || port.nodePort === 0 ? [] : [port.nodePort],
  );
}
