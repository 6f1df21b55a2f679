import { type Duplex, pipeline } from "node:stream";
import { badRequest, type Pod } from "@dhow/kube";
import type { SpecialHandler, UpgradeHandler } from "../../http/handler.ts";
import type { ApiRequest } from "../../server.ts";
import type { Store } from "../../store.ts";
import { dial, type DialKubelet } from "./kubelet.ts";
import { containerOf, nodeOfPod, podOf } from "./pod-target.ts";

/** What of a request must not travel further: it is about the caller and the API server only. */
const ownHeaders = /^(?:authorization|cookie|host|content-length|impersonate-.*|x-forwarded-.*)$/;
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./;

/** Paths of the kubelet for what upgrades a connection, by subresource (pkg/kubelet/server/server.go). */
const kubeletPaths: Readonly<Record<string, (pod: Pod, query: URLSearchParams) => string>> = {
  exec: (pod, query) => containerPath("exec", pod, query),
  attach: (pod, query) => containerPath("attach", pod, query),
  portforward(pod, query) {
    const ports = query.getAll("ports").flatMap((value) => value.split(","));
    const suffix = ports.length > 0 ? `?port=${encodeURIComponent(ports.join(","))}` : "";
    return `/portForward/${pod.metadata.namespace}/${pod.metadata.name}${suffix}`;
  },
};

function containerPath(kind: "exec" | "attach", pod: Pod, query: URLSearchParams): string {
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed") {
    throw badRequest(`cannot ${kind} into a container in a completed pod; current phase is ${phase}`);
  }
  const container = containerOf(pod, query.get("container") ?? "");
  const streams = [
    ["stdin", "input"],
    ["stdout", "output"],
    ["stderr", "error"],
    ["tty", "tty"],
  ] as const;
  const options = new URLSearchParams();
  for (const [name, kubeletName] of streams) if (isTrue(query.get(name))) options.set(kubeletName, "1");
  for (const word of query.getAll("command")) options.append("command", word);
  return `/${kind}/${pod.metadata.namespace}/${pod.metadata.name}/${container}?${options.toString()}`;
}

function isTrue(value: string | null): boolean {
  return value === "true" || value === "1";
}

/** exec, attach and port-forward: the kubelet speaks with the client itself, through this pipe. */
export function streamHandler(store: Store, dialKubelet: DialKubelet): UpgradeHandler {
  return async (call, request, _info, socket, head) => {
    const pod = podOf(store, call);
    const path = kubeletPaths[call.subresource]?.(pod, call.query) ?? "/";
    const kubelet = await dial(dialKubelet, nodeOfPod(pod));
    join(socket, kubelet, requestHead(request, path), head);
  };
}

/** What these answer to a request that does not ask for an upgrade. */
export function upgradeRequired(store: Store): SpecialHandler {
  return async ({ call }) => {
    const pod = podOf(store, call);
    kubeletPaths[call.subresource]?.(pod, call.query);
    nodeOfPod(pod);
    throw badRequest("Upgrade request required");
  };
}

/** The request again, for the next server: same method and headers, another path. */
export function requestHead({ headers, method }: Pick<ApiRequest, "headers" | "method">, path: string): string {
  const lines = [`${method} ${path} HTTP/1.1`, "host: kubelet"];
  for (const [name, value] of Object.entries(headers)) {
    if (ownHeaders.test(name)) continue;
    const text = name === "sec-websocket-protocol" ? withoutToken(value) : value;
    if (text !== "") lines.push(`${name}: ${text.replace(/[\r\n]/g, " ")}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function withoutToken(protocols: string): string {
  return protocols
    .split(/,\s*/)
    .filter((protocol) => !tokenProtocol.test(protocol))
    .join(", ");
}

/** Bytes both ways until either side ends. */
export function join(client: Duplex, server: Duplex, request: string, head: Uint8Array): void {
  server.write(request);
  if (head.byteLength > 0) server.write(head);
  pipeline(client, server, () => undefined);
  // Everything has been handed to the client by then, so nothing is cut off.
  pipeline(server, client, () => client.destroy());
}
