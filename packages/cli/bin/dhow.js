#!/usr/bin/env node
// The command `dhow`: hands over to src/main.ts under a Node that is new enough.
import { fileURLToPath } from "node:url";

process.argv.splice(2, 0, fileURLToPath(new URL("../src/main.ts", import.meta.url)));
await import("./run.js");
