// Runs the tests: all of them, or those under the folders and files given. `npm test -- packages/kube`.
import { spawn } from "node:child_process";
import { globSync, statSync } from "node:fs";

const roots = ["packages/*", "systems/*", "conformance", "tools"];
const places = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const options = process.argv.slice(2).filter((word) => word.startsWith("--"));

function testFiles(place: string): string[] {
  return statSync(place).isDirectory()
    ? globSync(`${place}/**/*.test.ts`, { exclude: ["**/node_modules/**"] })
    : [place];
}

const files = (places.length > 0 ? places : roots.flatMap((root) => globSync(root))).flatMap(testFiles).sort();
if (files.length === 0) {
  console.error(`No test (*.test.ts) under ${places.join(", ")}.`);
  process.exit(1);
}
const flags = [
  "--disable-warning=ExperimentalWarning",
  "--test",
  "--test-concurrency=2",
  "--test-reporter=spec",
  // What hangs fails, instead of keeping everybody waiting.
  "--test-timeout=300000",
  ...options,
];
const runner = spawn(process.execPath, [...flags, ...files], { stdio: "inherit" });
// Whoever ends this ends what it started.
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => runner.kill(signal));
runner.on("exit", (code) => process.exit(code ?? 1));
