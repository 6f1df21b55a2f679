#!/usr/bin/env node
// Runs a TypeScript program under a Node that can: this one where it is new enough, else the one that npm installed.
// Plain JavaScript that an old Node understands, because it is what an old Node runs.
import { spawn } from "node:child_process";
import module from "node:module";
import { constants, homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { suitableNode } from "./node.js";

const [script = "", ...words] = process.argv.slice(2);
const node = suitableNode();
// Compiled code is kept between runs; where the folder cannot be written, Node does without.
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "dhow", "compiled");

// From 24 on Node strips types without being asked to, so that a second process is needed for nothing.
if (node === process.execPath && Number(process.versions.node.split(".")[0]) >= 24) {
  keepQuiet();
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? cache);
  process.argv.splice(1, 2, resolve(script));
  await import(pathToFileURL(resolve(script)).href);
} else {
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", script, ...words], {
    // Nothing is said over the channel: the kernel closes it when this process ends, however it ends, and so the child hears of it.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { NODE_COMPILE_CACHE: cache, ...process.env },
  });
  // Ctrl-C reaches the child too, as it is in the same process group: it decides when to end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => signal === "SIGINT" || child.kill(signal));
  }
  child.on("error", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

/** What --disable-warning=ExperimentalWarning does: which of Node's functions may change is no concern of who runs a command. */
function keepQuiet() {
  const [print] = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => warning.name === "ExperimentalWarning" || print?.(warning));
}
