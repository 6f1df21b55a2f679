import type { Server, Socket } from "node:net";
import type { NetworkObjects } from "../network/objects.ts";
import type { Backends } from "./backends.ts";
import { connectToAny, join } from "./upgrade.ts";

/** Passes a NodePort's connections from outside on to the ready pods of the Service that has the port. Returns how to stop. */
export function attachNodePort(
  port: number,
  server: Server,
  objects: Pick<NetworkObjects, "services">,
  backends: Backends,
): () => void {
  const carry = async (client: Socket) => {
    client.on("error", () => client.destroy());
    const ref = serviceOf(port, objects);
    const pod = ref && (await connectToAny((tried) => backends.next(ref, tried)));
    // As a node refuses a port without endpoints.
    if (pod) join(client, pod);
    else client.resetAndDestroy();
  };
  const accept = (client: Socket) => void carry(client);
  // Until the pod has answered, the client may have said all that it has to say.
  Object.assign(server, { allowHalfOpen: true });
  server.on("connection", accept);
  return () => server.off("connection", accept);
}

function serviceOf(nodePort: number, objects: Pick<NetworkObjects, "services">) {
  for (const { metadata, spec } of objects.services.list()) {
    const port = spec?.ports?.find((candidate) => candidate.nodePort === nodePort);
    if (port) return { namespace: metadata.namespace ?? "", service: metadata.name ?? "", port: port.port };
  }
  return undefined;
}
