import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "../src/host/node-process.ts";

/** The parts of Node that a process has after it has loaded a file of ours. */
function builtinsOf(file: string): string {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const program = `await import(${JSON.stringify(path)}); console.log(process.moduleLoadList.join("\\n"));`;
  return execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
    env: childEnvironment(),
  });
}

for (const file of ["../src/control-plane/control-plane.ts", "../src/agent/agent.ts"]) {
  test(`${file} loads node:http without undici, which nothing in it calls`, () => {
    const builtins = builtinsOf(file);
    assert.match(builtins, /NativeModule _http_client$/m);
    assert.doesNotMatch(builtins, /undici/);
  });
}
