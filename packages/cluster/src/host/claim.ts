import { connect, createServer, type Server } from "node:net";
import type { ClusterFolder } from "../folder.ts";
import { clusterError } from "../errors.ts";
import { runningCluster } from "./running.ts";

/** How long whoever has a folder may take to say so (milliseconds). */
const patience = 1_000;

/**
 * Makes this process the only one that runs a cluster, or nodes of another one, out of a folder: two would write to one database and end each
 * other's pods. By an abstract socket (unix(7)), which two cannot have, and which the kernel takes from whoever ends, however. Returns how to give
 * it back; throws a DhowError where another process has it.
 */
export async function claimFolder(folder: ClusterFolder): Promise<() => void> {
  const name = `\0dhow-${process.getuid?.() ?? 0}-${folder.id}`;
  const claim = createServer((asking) => {
    asking.on("error", () => undefined);
    asking.end(String(process.pid));
  });
  try {
    await listen(claim, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw alreadyRuns(folder, await ownerOf(name));
  }
  claim.unref();
  return () => void claim.close();
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(name, resolve);
  });
}

/** The number of the process that has the name; empty where it does not say. */
function ownerOf(name: string): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(name).setEncoding("utf8").setTimeout(patience);
    socket.on("data", (text: string) => (said += text));
    socket.on("timeout", () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(said));
  });
}

function alreadyRuns(folder: ClusterFolder, owner: string) {
  const process = owner === "" ? "another process" : `process ${owner}`;
  const running = runningCluster(folder);
  if (!running)
    return clusterError("CLUSTER_ALREADY_RUNNING", {
      message: `${process} runs out of ${folder.path} already, or is starting or ending`,
      instead: "another folder, or end that process first",
    });
  return clusterError("CLUSTER_ALREADY_RUNNING", {
    message: `${running.system} runs already (process ${running.pid}), on port ${running.ingressPort}`,
    instead: "dhow down, or dhow status to see it",
  });
}
