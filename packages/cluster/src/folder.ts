import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, join, resolve } from "node:path";
import { clusterError } from "./errors.ts";

/** Where a cluster keeps what it has: all paths absolute, everything readable by its owner only. */
export interface ClusterFolder {
  readonly path: string;
  /** Tells this cluster from others of the machine; letters and digits. */
  readonly id: string;
  /** Authority, keys and tokens. */
  readonly pki: string;
  /** The API server's database. */
  readonly store: string;
  readonly kubeconfig: string;
  /** Who the agent is to the API server of this folder. */
  readonly agentKubeconfig: string;
  /** The agent's: volumes, logs of containers, its own small state. */
  readonly agent: string;
  /** What the node starts for which image reference. */
  readonly images: string;
  readonly logs: string;
  /** Who runs it now. */
  readonly running: string;
  /** Unix sockets of the API server and the kubelet: elsewhere, since their paths may have 107 bytes at most (unix(7)). */
  readonly sockets: string;
  readonly apiSocket: string;
  readonly kubeletSocket: string;
}

/** `sockets` is given where it cannot be told: inside a user namespace everybody's uid is another than outside. */
export function clusterFolder(path: string, sockets = socketFolder(path)): ClusterFolder {
  const folder = resolve(path);
  return {
    path: folder,
    id: basename(sockets),
    pki: join(folder, "pki"),
    store: join(folder, "store"),
    kubeconfig: join(folder, "kubeconfig"),
    agentKubeconfig: join(folder, "pki", "agent.kubeconfig"),
    agent: join(folder, "agent"),
    images: join(folder, "images.json"),
    logs: join(folder, "logs"),
    running: join(folder, "running.json"),
    sockets,
    apiSocket: join(sockets, "api.sock"),
    kubeletSocket: join(sockets, "kubelet.sock"),
  };
}

function socketFolder(path: string): string {
  const name = createHash("sha256").update(resolve(path)).digest("hex").slice(0, 12);
  return join(tmpdir(), `dhow-${userInfo().uid}`, name);
}

/** Makes the folders, for the owner's eyes only. Throws where the folder of the sockets, which others could have made, is somebody else's. */
export function makeFolders(folder: ClusterFolder): void {
  const { sockets } = folder;
  for (const path of [folder.pki, folder.store, folder.logs, join(sockets, ".."), sockets]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  // Where pods are plain processes of other users, they pass through here to their volumes; nobody but the owner may list.
  mkdirSync(folder.agent, { recursive: true, mode: 0o711 });
  for (const path of [folder.path, folder.agent]) chmodSync(path, 0o711);
  for (const path of [join(sockets, ".."), sockets]) {
    const found = lstatSync(path);
    if (found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0) continue;
    throw clusterError("CLUSTER_FOLDER_UNUSABLE", {
      message: `${path} is not a folder of yours alone`,
      instead: `remove it, or set TMPDIR to a folder of your own`,
    });
  }
}
