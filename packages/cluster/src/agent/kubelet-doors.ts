import { readFileSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import type { ConfigMap, KubeClient } from "@dhow/kube";
import type { Agent, KubeletTls } from "@dhow/node";
import type { KubeletEntrance } from "./entrances.ts";

/**
 * Lets the API server's connections from the host's network in, each to the kubelet of its node. The authority that signs clients'
 * certificates is the one that the cluster publishes for all who extend it.
 */
export async function openKubeletDoors(
  client: KubeClient,
  agent: Agent,
  pki: string,
): Promise<(entrance: KubeletEntrance, server: Server) => void> {
  const text = (name: string) => readFileSync(join(pki, name), "utf8");
  const tls: KubeletTls = {
    certificate: text("kubelet.crt"),
    key: text("kubelet.key"),
    clientAuthority: await clientAuthority(client),
  };
  return (entrance, server) => {
    const secure = agent.secureKubeletHandler(entrance.slice("kubelet/".length), tls);
    server.on("connection", (socket: Socket) => secure.emit("connection", socket));
  };
}

/** Who reads it needs no other right than this one (the role extension-apiserver-authentication-reader). */
async function clientAuthority(client: KubeClient): Promise<string> {
  const ref = {
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: "kube-system",
    name: "extension-apiserver-authentication",
  };
  return (await client.get<ConfigMap>(ref)).data?.["client-ca-file"] ?? "";
}
