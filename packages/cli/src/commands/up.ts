import { dirname } from "node:path";
import { systemClock } from "@dhow/base";
import { forget, loadSystem, runSystem, systemFile } from "@dhow/development";
import { type CommandDescription, environmentOption, parseIsolation, parsePort, systemArgument } from "../command.ts";
import { errorLines } from "../terminal/errors.ts";
import { openInBrowser } from "../terminal/browser.ts";
import { listenToKeys } from "../terminal/keys.ts";
import { createView, type View } from "../terminal/view.ts";
import { choicesOf, type RunChoices, upDetached } from "./detach.ts";

export const up: CommandDescription = {
  name: "up",
  summary: "run a system on this machine",
  description:
    "Starts a Kubernetes cluster on this machine, brings the system into it, waits until everything is ready, and restarts what edits touch. Ctrl-C stops everything; data stays.",
  arguments: [systemArgument],
  options: [
    environmentOption,
    {
      flags: "-p, --port <port>",
      description: "the port of the entry point on 127.0.0.1; 80 where that is allowed, else 8080",
      parse: parsePort,
    },
    {
      flags: "--api-port <port>",
      description: "the port of the Kubernetes API on 127.0.0.1; any free one unless said",
      parse: parsePort,
    },
    {
      flags: "--https-port <port>",
      description: "the same for HTTPS; 443 where that is allowed, else 8443",
      parse: parsePort,
    },
    {
      flags: "--isolation <kind>",
      description: "namespaces (the default where this system allows them) or processes",
      parse: parseIsolation,
    },
    { flags: "-d, --detach", description: "leave it running and return when everything is ready" },
    { flags: "--reset", description: "forget what an earlier run stored" },
  ],
  example: "dhow up systems/bookmeup --port 8081",
  async run([path = "."], options) {
    const environment = (options["environment"] as string | undefined) ?? "development";
    const loaded = await loadSystem(path, environment);
    if (options["reset"] === true) forget(dirname(systemFile(path)));
    const shown = { system: loaded.system.name, environment, stream: process.stdout };
    const choices = options as RunChoices;
    if (options["detach"] === true) return upDetached(path, environment, choices, createView(shown));
    return inForeground(loaded, choices, createView({ ...shown, keys: "o open · q stop (data stays)" }));
  },
};

async function inForeground(
  loaded: Awaited<ReturnType<typeof loadSystem>>,
  choices: RunChoices,
  view: View,
): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  const keys = listenToKeys({
    q: () => stop.abort(),
    "\u0003": () => stop.abort(),
    o: () => openInBrowser(view.firstAddress()),
  });
  try {
    await runSystem({
      loaded,
      ...choicesOf(choices),
      detached: false,
      reporter: view,
      clock: systemClock,
      signal: stop.signal,
    });
    return view.failed() ? 1 : 0;
  } catch (error) {
    view.end();
    console.error(errorLines(error).join("\n"));
    return 1;
  } finally {
    keys.close();
    view.end();
  }
}
