import { createServer, type Server } from "node:net";
import type { Reporter } from "@dhow/base";
import { clusterError } from "../errors.ts";
import { portOwner } from "./port-owner.ts";

/** Opens a port on 127.0.0.1. Throws a DhowError that says who has it and how to choose another. */
export async function openDoor(port: number, instead: string): Promise<Server> {
  const server = createServer({ pauseOnConnect: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: "127.0.0.1" }, resolve);
    });
    return server;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const owner = code === "EACCES" ? undefined : portOwner(port);
    throw clusterError("CLUSTER_PORT_TAKEN", {
      message:
        code === "EACCES"
          ? `port ${port} may be opened by root only`
          : `port ${port} is taken${owner ? ` by ${owner}` : ""}`,
      instead,
      cause: error,
    });
  }
}

/** Port 80 where that is allowed and free, else 8080, where no port was asked for. */
export async function openEntry(asked: number | undefined): Promise<Server> {
  const instead = "another port: --port 8081";
  if (asked !== undefined) return openDoor(asked, instead);
  try {
    return await openDoor(80, instead);
  } catch {
    return openDoor(8080, instead);
  }
}

/** Says once that a node port cannot be opened on the host; inside the cluster it works all the same. */
export async function openNodePort(port: number, reporter: Reporter): Promise<Server | undefined> {
  try {
    return await openDoor(port, "end that program, or choose another nodePort in system.ts");
  } catch (error) {
    reporter.report({
      kind: "cluster.node-port-taken",
      level: "warn",
      subject: String(port),
      message: (error as Error).message,
      data: { error },
    });
    return undefined;
  }
}
