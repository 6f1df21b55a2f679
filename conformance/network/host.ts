// The host process of a cluster, as small as can be: starts the world, hands on what is said in it, and is there to be killed.
import { fileURLToPath } from "node:url";
import { probeWorld, spawnWorld } from "@dhow/node";

const support = await probeWorld();
if (support.possible) {
  const inside = fileURLToPath(new URL("inside.ts", import.meta.url));
  const repository = fileURLToPath(new URL("../../", import.meta.url));
  const world = spawnWorld({
    argv: [process.execPath, inside, support.userNamespace ? "mapped" : "root", repository, process.argv[2] ?? ""],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    userNamespace: support.userNamespace,
  });
  world.on("message", (message) => process.send?.(message));
  world.on("exit", (code) => process.exit(code ?? 1));
} else {
  process.send?.({ impossible: support.reason }, () => process.exit(0));
}
