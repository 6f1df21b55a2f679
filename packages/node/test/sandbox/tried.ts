// What programs that try the sandbox in a world of its own have in common; they are started with `root` or `mapped`.
import type { Readable } from "node:stream";
import { systemClock } from "@dhow/base";
import { createNamespaceSandbox } from "../../src/sandbox/namespace-sandbox.ts";
import type { ContainerConfig, PodConfig, PodSandbox } from "../../src/sandbox/sandbox.ts";

export const userNamespace = process.argv[2] === "mapped";
const nodes = [{ name: "node", address: "10.250.0.11", podCidr: "10.244.1.0/24" }];
export const sandbox = await createNamespaceSandbox({ nodes, clock: systemClock, userNamespace });
let made = 0;

export function pod(more: Partial<PodConfig> = {}): Promise<PodSandbox> {
  const uid = `pod-${(made += 1)}`;
  const place = { uid, namespace: "default", name: uid, nodeName: "node", hostname: uid };
  return sandbox.createPod({ ...place, resolvConf: "", hosts: [], sysctls: {}, ...more });
}

/** A container of an ordinary user with the machine's own programs. */
export function container(argv: readonly string[], more: Partial<ContainerConfig> = {}): ContainerConfig {
  const user = more.user ?? 1234;
  return {
    id: `container-${(made += 1)}`,
    root: "host",
    mounts: [],
    memoryMounts: [],
    argv,
    env: {},
    workingDirectory: "/",
    user,
    group: user,
    supplementalGroups: [],
    readOnlyRoot: false,
    capabilities: [],
    noNewPrivileges: true,
    limits: {},
    tty: false,
    stdin: false,
    ...more,
  };
}

export const shell = (script: string) => ["sh", "-c", script];

export async function text(stream: Readable | undefined): Promise<string> {
  let said = "";
  for await (const chunk of stream ?? []) said += String(chunk);
  return said;
}
