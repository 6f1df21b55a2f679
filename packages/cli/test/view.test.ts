import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createView } from "../src/terminal/view.ts";

/** What somebody at a terminal has read when everything is ready. */
function atTerminal(keys?: string): string {
  const stream = Object.assign(new PassThrough(), { isTTY: true, rows: 24, columns: 80 });
  const view = createView({
    system: "shop",
    environment: "staging",
    stream: stream as unknown as NodeJS.WriteStream,
    ...(keys !== undefined && { keys }),
  });
  const report = (kind: string, message: string, data = {}) =>
    view.report({ kind, level: "info", subject: "shop", message, data });
  report("up.cluster", "namespace shop-staging");
  report("up.ready", "ready", { addresses: [], kubeconfig: "/k" });
  view.end();
  return stripVTControlCharacters(String(stream.read()));
}

test("keys are told of by a command that listens to them, and by no other", () => {
  assert.match(atTerminal("q stop"), /export KUBECONFIG=\/k\n\n {2}q stop\n$/);
  assert.match(atTerminal(), /export KUBECONFIG=\/k\n\n$/);
});
