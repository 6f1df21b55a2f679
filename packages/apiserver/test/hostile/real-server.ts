import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import { loadKubeconfig } from "@dhow/kube";

/** A way to send bytes to a server, and what proves who sends them. */
export interface RawServer {
  dial(): Promise<Duplex>;
  /** Of an administrator. */
  readonly token: string;
}

/** The API server of a kubeconfig with a token, over HTTP/1.1. */
export function realServer(kubeconfig: string): RawServer {
  const { ca, server, token } = loadKubeconfig(kubeconfig);
  const { hostname, port } = new URL(server);
  if (!token) throw new Error(`the user of ${kubeconfig} has no token: everything would be refused`);
  return {
    token,
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ["http/1.1"] });
        socket.once("error", reject);
        socket.once("secureConnect", () => {
          socket.off("error", reject);
          resolve(socket);
        });
      }),
  };
}
