// The same suite over the sandbox without namespaces, in a process as it is. Stays until it is killed.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@dhow/base";
import { createProcessNetwork, createProcessSandbox } from "@dhow/node";
import { clusterObjects, nodes, trySandbox } from "./cluster.ts";
import type { Program } from "./programs/program.ts";
import type { Property } from "./properties.ts";

/** What the fallback does not promise, and why. */
function limit(program: Program, property: Property): string | undefined {
  if (property === "cluster DNS name" && program.name !== "Node")
    return "is found by name, but finds others only if it is a Node program";
  return limits[property];
}

const limits: Partial<Record<Property, string>> = {
  "port 80": "an ordinary user may not listen below 1024",
  "a denied edge fails at once": "nothing stands between processes: NetworkPolicy is not enforced",
  runAsUser: "an ordinary user cannot become another one",
  "read-only root": "a process sees the machine's files as its user does",
};

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "dhow-processes-"));
  process.send?.({ folder });
  const sandbox = createProcessSandbox({ folder, nodes, clock: systemClock });
  const objects = clusterObjects();
  const network = createProcessNetwork(sandbox, objects, "cluster.local");
  const repository = fileURLToPath(new URL("../../", import.meta.url));
  await trySandbox({ sandbox, network, objects, repository, port: 8080, limit });
}

process.on("disconnect", () => process.exit(1));
main().catch((error: unknown) => {
  process.send?.({ failed: error instanceof Error ? error.stack : String(error) }, () => process.exit(1));
});
