import {
  type Address,
  addresses,
  type Adminer,
  type Environment,
  type Postgres,
  type Service,
  type System,
  type Value,
} from "@dhow/model";

/** A value that becomes pods. */
export type Workload = Adminer | Postgres | Service;

/** What a compiler of one kind may look at beside its value. */
export interface Context {
  readonly system: System;
  readonly environment: Environment;
  /** The workload that an address leads to. */
  target(address: Address): Workload;
  /** Who calls a workload. */
  callers(of: Workload): readonly Workload[];
  /** Whom a workload calls. */
  callees(of: Workload): readonly Workload[];
  /** Whether an ingress or a node port leads to it, so that anybody may call. */
  isEntry(of: Workload): boolean;
}

export function isWorkload(value: Value): value is Workload {
  return value.kind === "adminer" || value.kind === "postgres" || value.kind === "service";
}

/** The call graph of a system, read off the addresses in the services' environments. */
export function contextOf(system: System): Context {
  const workloads = system.values.filter(isWorkload);
  const routed = new Set<Value>(
    system.values.flatMap((value) => (value.kind === "ingress" ? Object.values(value.options.routes) : [])),
  );
  const byName = new Map(workloads.map((workload) => [workload.name, workload]));
  const target = (address: Address): Workload => {
    const found = byName.get(address.of.name);
    // The model has checked that whatever is referred to is there.
    if (!found) throw new Error(`no workload ${address.of.name}`);
    return found;
  };
  const { callees, callers } = callGraph(workloads, target);
  return {
    target,
    system,
    environment: system.environment,
    callees: (of) => callees.get(of) ?? [],
    callers: (of) => callers.get(of) ?? [],
    isEntry: (of) => routed.has(of) || (of.kind !== "postgres" && of.options.nodePort !== undefined),
  };
}

interface CallGraph {
  readonly callees: ReadonlyMap<Workload, readonly Workload[]>;
  readonly callers: ReadonlyMap<Workload, readonly Workload[]>;
}

/** Both directions at once, each in the order of the workloads. */
function callGraph(workloads: readonly Workload[], target: (address: Address) => Workload): CallGraph {
  const places = new Map(workloads.map((workload, index) => [workload, index]));
  const placeOf = (workload: Workload) => places.get(workload) ?? -1;
  const callers = new Map<Workload, Workload[]>(workloads.map((workload) => [workload, []]));
  const callees = new Map<Workload, readonly Workload[]>();
  for (const workload of workloads) {
    const called =
      workload.kind === "adminer" ? [workload.options.database] : [...new Set(addresses(workload).map(target))];
    callees.set(
      workload,
      called.sort((a, b) => placeOf(a) - placeOf(b)),
    );
    for (const one of called) callers.get(one)?.push(workload);
  }
  return { callees, callers };
}

/** The port on which a workload listens, in its pods and as a Service. */
export function portOf(workload: Workload): number {
  switch (workload.kind) {
    case "service":
      return workload.options.port;
    case "postgres":
      return 5432;
    case "adminer":
      return 8080;
  }
}
