import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@dhow/base";
import { defaultNodes, type JoinedNodes, joinCluster, joinObjects } from "@dhow/cluster";
import { writeImageTable } from "@dhow/development";
import type { KubeClient, KubeObject } from "@dhow/kube";
import { writeAccountKubeconfig } from "./account-kubeconfig.ts";
import { loadBookMeUp } from "./bookmeup.ts";

const account = { namespace: "kube-system", name: "dhow-agent" };

/** Dhow's agent as two nodes of a cluster that somebody else controls, with the rights of `joinObjects` and no other. */
export interface Joined extends AsyncDisposable {
  readonly nodes: JoinedNodes;
  /** The entry point of its ingress. */
  readonly url: string;
  /** Where the API server reaches its kubelets. */
  readonly address: string;
}

/**
 * An API server's proxies refuse loopback addresses (apimachinery/pkg/util/proxy). As root the machine gets another that no other machine
 * reaches (TEST-NET-2, RFC 5737).
 */
export const ownAddress = process.getuid?.() === 0 ? "198.51.100.10" : undefined;

export async function joinNodes(client: KubeClient, administrator: string): Promise<Joined> {
  const home = mkdtempSync(join(tmpdir(), "dhow-joined-"));
  const address = ownAddress ?? "127.0.0.1";
  const takeAway = takeAddress();
  const loaded = await loadBookMeUp();
  const nodes = await joinCluster({
    folder: join(home, "nodes"),
    kubeconfig: await agentKubeconfig(client, administrator, join(home, "agent.kubeconfig")),
    nodes: defaultNodes,
    address,
    port: 0,
    httpsPort: 0,
    reporter: silent,
    prepare: ({ images }) => writeImageTable(images, loaded),
  });
  return {
    nodes,
    address,
    url: `http://127.0.0.1:${nodes.ingressPort}`,
    async [Symbol.asyncDispose]() {
      await nodes.stop();
      takeAway();
      rmSync(nodes.folder.sockets, { recursive: true, force: true });
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function takeAddress(): () => void {
  if (!ownAddress) return () => undefined;
  const ip = (verb: string) => execFileSync("ip", ["addr", verb, `${ownAddress}/32`, "dev", "lo"]);
  ip("replace");
  return () => ip("del");
}

/** A service account with the agent's rights, and a token of it. */
async function agentKubeconfig(client: KubeClient, administrator: string, path: string): Promise<string> {
  const objects: KubeObject[] = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...account } },
    ...joinObjects({ kind: "ServiceAccount", ...account }),
  ];
  for (const object of objects) await client.apply(object, { fieldManager: "administrator", force: true });
  return writeAccountKubeconfig(client, { account, administrator, path });
}
