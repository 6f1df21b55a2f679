import { systemClock } from "@dhow/base";
import { type Address, addressesOf, connect, currentWorkloads, requireRunning } from "@dhow/development";
import { type CommandDescription, jsonOption, systemArgument } from "../command.ts";
import { style } from "../terminal/style.ts";
import { addressLine } from "../terminal/view.ts";

export const status: CommandDescription = {
  name: "status",
  summary: "show every workload and every address of a running system",
  description: "Shows every workload with its pods, and every address with its name and URL.",
  arguments: [systemArgument],
  options: [jsonOption],
  example: "dhow status systems/bookmeup --json",
  async run([path = "."], options) {
    const { folder, running } = requireRunning(path);
    const { client, transport } = connect(folder);
    try {
      const workloads = await currentWorkloads(client, running.namespace, systemClock);
      const addresses = await addressesOf(client, running.namespace, running);
      const { system, environment, namespace, startedAt, server } = running;
      const state = {
        system,
        environment,
        namespace,
        startedAt,
        server,
        kubeconfig: folder.kubeconfig,
        workloads,
        addresses,
      };
      if (options["json"] === true) console.log(JSON.stringify(state, null, 2));
      else print(state);
      return workloads.every((workload) => workload.complete) ? 0 : 1;
    } finally {
      transport.close();
    }
  },
};

interface State {
  readonly system: string;
  readonly environment: string;
  readonly kubeconfig: string;
  readonly workloads: readonly { name: string; ready: number; wanted: number; complete: boolean }[];
  readonly addresses: readonly Address[];
}

function print(state: State): void {
  const width = Math.max(...[...state.workloads, ...state.addresses].map((each) => each.name.length), "kubectl".length);
  console.log(`${style("bold", state.system)} · ${state.environment}\n`);
  for (const { name, ready, wanted, complete } of state.workloads) {
    console.log(
      `  ${name.padEnd(width)}  ${complete ? style("green", "● ready") : style("yellow", "◌ waiting")}  ${ready}/${wanted}`,
    );
  }
  console.log();
  for (const address of state.addresses) console.log(addressLine(address, width + 2));
  console.log(`  ${"kubectl".padEnd(width)}  export KUBECONFIG=${state.kubeconfig}`);
}
