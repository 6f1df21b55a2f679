import { run } from "../sandbox/programs.ts";
import type { NodeNetwork } from "../sandbox/namespace-sandbox.ts";
import type { PolicyRules } from "./policy-rules.ts";
import { policyTable } from "./policy-table.ts";
import type { ServiceRule } from "./service-rules.ts";
import {
  changeServiceTable,
  createServiceTable,
  emptyServiceTable,
  type ServiceTable,
  serviceTable,
} from "./service-table.ts";

/** What the kernel does with packets between pods, nodes and Services. */
export interface Network {
  /** Each replaces what was set before, as one transaction. */
  setServices(rules: readonly ServiceRule[]): Promise<void>;
  setPolicies(rules: PolicyRules): Promise<void>;
}

export interface NetworkOptions {
  readonly nodes: readonly Pick<NodeNetwork, "name" | "address">[];
  /** Such as 10.96.0.0/16. */
  readonly serviceCidr: string;
  /** Addresses of that range at which this process listens itself: cluster DNS, the API server's. */
  readonly ownAddresses: readonly string[];
}

/** Sets up the world's part of the cluster network. The nodes' own addresses are the sandbox' doing. */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  const { nodes, serviceCidr, ownAddresses } = options;
  const source = nodes[0]?.address ?? "";
  const commands = [
    ...ownAddresses.map((address) => `addr add ${address}/32 dev lo`),
    // The way to a Service is decided after its address was translated; without any route there is no such moment.
    `route add ${serviceCidr} dev lo src ${source}`,
  ];
  await run(["ip", "-batch", "-"], `${commands.join("\n")}\n`);
  const network = new KernelNetwork(options);
  await network.open();
  return network;
}

class KernelNetwork implements Network {
  readonly #options: NetworkOptions;
  #services: ServiceTable = emptyServiceTable;
  /** What the kernel has been told last: most changes of objects change nothing here. */
  readonly #told = { services: "", policies: "" };
  #last: Promise<void> = Promise.resolve();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await run(["nft", "-f", "-"], createServiceTable);
    await this.setServices([]);
    await this.setPolicies({ isolatedIngress: [], isolatedEgress: [], ingress: [], egress: [] });
  }

  setServices(rules: readonly ServiceRule[]): Promise<void> {
    return this.#inTurn(async () => {
      const next = serviceTable(rules);
      const source = this.#options.nodes[0]?.address ?? "";
      const whole = changeServiceTable(emptyServiceTable, next, source);
      if (whole === this.#told.services) return;
      await run(["nft", "-f", "-"], changeServiceTable(this.#services, next, source));
      this.#services = next;
      this.#told.services = whole;
    });
  }

  setPolicies(rules: PolicyRules): Promise<void> {
    const { nodes, serviceCidr, ownAddresses } = this.#options;
    const nodeAddresses = nodes.map(({ address }) => address);
    const text = policyTable(rules, { nodeAddresses, serviceCidr, ownAddresses });
    return this.#inTurn(async () => {
      if (text === this.#told.policies) return;
      await run(["nft", "-f", "-"], text);
      this.#told.policies = text;
    });
  }

  /** Each change knows the one before. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
