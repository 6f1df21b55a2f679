// Finds a Node that runs Dhow: 22.22 or newer.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The oldest Node that the libraries Dhow stands on accept. */
const floor = [22, 22];

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > floor[0] || (major === floor[0] && minor >= floor[1]);
}

/** The path of a Node binary that is new enough; ends the process with what to install where there is none. */
export function suitableNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin", "node");
    if (existsSync(path)) return path;
  } catch {
    // Not installed: said below.
  }
  console.error(
    `Dhow needs Node ${floor.join(".")} or newer; this is ${process.versions.node}, and the npm package ${name} is not installed.\n` +
      `Run: npm install ${name}@24`,
  );
  process.exit(1);
}
