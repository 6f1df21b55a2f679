import { readFile } from "node:fs/promises";
import type { Kubelet } from "../kubelet/kubelet.ts";
import { findPod, RequestError } from "./targets.ts";

/** The TCP ports on which a pod's programs listen: those that other pods reach, and those that only the pod itself reaches. */
export interface Listeners {
  readonly ports: readonly number[];
  readonly loopbackPorts: readonly number[];
}

/**
 * `GET /listeners/{namespace}/{pod}`, which a real kubelet does not have: lets `dhow up` say where a program listens that does not listen
 * where it should. 501 where pods share the machine's network and cannot be told apart.
 */
export async function listeners(kubelets: readonly Kubelet[], parts: readonly string[]): Promise<Listeners> {
  const worker = findPod(kubelets, parts[0] ?? "", parts[1] ?? "");
  if (kubelets.some(({ context }) => context.sandbox.capabilities.isolation === "processes"))
    throw new RequestError(501, "pods share the network of this machine");
  const [running] = worker.running();
  if (!running) return { ports: [], loopbackPorts: [] };
  // All containers of a pod share its network: one of them is enough.
  const files = ["tcp", "tcp6"].map((name) => readFile(`/proc/${running.process.pid}/net/${name}`, "utf8"));
  // A container may end while it is looked at, and a kernel may have no IPv6.
  return listenersIn((await Promise.all(files.map((file) => file.catch(() => "")))).join("\n"));
}

/** Reads tables of sockets (proc(5), /proc/net/tcp): the second field is address and port in hexadecimal, the fourth is 0A for one that listens. */
export function listenersIn(table: string): Listeners {
  const open = { ports: new Set<number>(), loopbackPorts: new Set<number>() };
  for (const line of table.split("\n")) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    if (state === "0A") (isLoopback(address) ? open.loopbackPorts : open.ports).add(Number.parseInt(port, 16));
  }
  return {
    ports: sorted(open.ports),
    loopbackPorts: sorted(open.loopbackPorts).filter((port) => !open.ports.has(port)),
  };
}

/** 127.0.0.0/8, also as an IPv6 address, and ::1; words of 32 bits are written in the machine's byte order, which is little-endian. */
function isLoopback(address: string): boolean {
  if (address.length === 8) return address.endsWith("7F");
  return (
    address === `${"0".repeat(24)}01000000` ||
    (address.startsWith(`${"0".repeat(16)}FFFF0000`) && address.endsWith("7F"))
  );
}

function sorted(ports: ReadonlySet<number>): number[] {
  return [...ports].sort((a, b) => a - b);
}
