// Runs in a world of its own: the sandbox with namespaces, its network and its DNS. Stays until it is killed.
import { silent, systemClock } from "@dhow/base";
import { createNamespaceSandbox, createNetwork, startDns } from "@dhow/node";
import { clusterObjects, dnsAddress, nodes, serviceCidr, signal, trySandbox } from "./cluster.ts";

const [, , user, repository = "", mode] = process.argv;

async function main(): Promise<void> {
  const userNamespace = user === "mapped";
  const sandbox = await createNamespaceSandbox({ nodes, clock: systemClock, userNamespace });
  if (mode === "brief") {
    await sandbox.close();
    process.exit(0);
  }
  const network = await createNetwork({ nodes, serviceCidr, ownAddresses: [dnsAddress] });
  const objects = clusterObjects();
  await startDns({ address: dnsAddress, clusterDomain: "cluster.local", objects, reporter: silent, signal });
  await trySandbox({ sandbox, network, objects, repository, port: 80, limit: () => undefined });
}

process.on("disconnect", () => process.exit(1));
main().catch((error: unknown) => {
  process.send?.({ failed: error instanceof Error ? error.stack : String(error) }, () => process.exit(1));
});
