import { systemClock } from "@dhow/base";
import { applySystem, loadSystem } from "@dhow/development";
import { type CommandDescription, environmentOption, systemArgument } from "../command.ts";
import { createView } from "../terminal/view.ts";

export const apply: CommandDescription = {
  name: "apply",
  summary: "bring a system into a cluster that runs",
  description:
    "Applies the objects of a system to the cluster that `dhow up` runs for it, or to another, and waits until everything is ready. Each environment has a namespace of its own, so that several stand side by side. What is generated is made once, in the cluster.",
  arguments: [systemArgument],
  options: [
    environmentOption,
    { flags: "--kubeconfig <file>", description: "of another cluster; its current context is meant" },
  ],
  example: "dhow apply systems/bookmeup --environment staging",
  async run([path = "."], options) {
    const environment = (options["environment"] as string | undefined) ?? "development";
    const loaded = await loadSystem(path, environment);
    const view = createView({ system: loaded.system.name, environment, stream: process.stdout });
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
    try {
      const ready = await applySystem({
        loaded,
        kubeconfig: options["kubeconfig"] as string | undefined,
        reporter: view,
        clock: systemClock,
        signal: stop.signal,
      });
      return ready ? 0 : 1;
    } finally {
      view.end();
    }
  },
};
