#!/usr/bin/env node
// Runs a TypeScript program under a Node that can: this one where it is new enough, else the one that npm installed.
// Plain JavaScript that an old Node understands, because it is what an old Node runs.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { suitableNode } from "./node.js";

const child = spawn(suitableNode(), ["--disable-warning=ExperimentalWarning", ...process.argv.slice(2)], {
  stdio: "inherit",
});
// Ctrl-C reaches the child too, as it is in the same process group: it decides when to end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => signal === "SIGINT" || child.kill(signal));
child.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
