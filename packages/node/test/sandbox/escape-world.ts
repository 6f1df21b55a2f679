// Passes on what is said in a world: `root` or `mapped`, and the program that runs there; `probe` only says whether there can be one.
import { probeWorld, spawnWorld } from "../../src/sandbox/world.ts";

const [isolation = "", program = ""] = process.argv.slice(2);
const userNamespace = isolation === "mapped";
const support = await probeWorld();
if (!support.possible) {
  console.error(support.reason);
  process.exit(1);
}
if (support.userNamespace && !userNamespace) {
  console.error("root may not make namespaces without a user namespace here");
  process.exit(1);
}
if (program === "probe") process.exit(0);
const world = spawnWorld({
  argv: [process.execPath, program, isolation],
  stdio: ["ignore", "inherit", "inherit", "ipc"],
  userNamespace,
});
world.on("message", (message: object) => process.send?.(message));
world.on("exit", (code) => process.exit(code ?? 1));
