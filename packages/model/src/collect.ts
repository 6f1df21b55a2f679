import { formatPlace } from "@dhow/base";
import { closest, show } from "./check.ts";
import type { Environment } from "./environment.ts";
import { ModelError } from "./errors.ts";
import { placeInStack } from "./place.ts";
import type { Address } from "./service.ts";
import type { SystemDefinition } from "./system.ts";
import type { Value, ValueKind } from "./value.ts";

const kinds: Readonly<Record<ValueKind, true>> = {
  adminer: true,
  ingress: true,
  postgres: true,
  secret: true,
  service: true,
};

/** Every value that the built ones refer to, those that are referred to first; throws what is wrong with them together. */
export function collect(definition: SystemDefinition, environment: Environment): readonly Value[] {
  const roots = build(definition, environment);
  const found = new Set<Value>();
  const visit = (value: Value): void => {
    if (found.has(value)) return;
    for (const next of referredTo(value)) visit(next);
    found.add(value);
  };
  for (const root of roots) visit(root);
  const values = [...found];
  checkDistinct(values);
  checkNodePorts(values);
  checkPeers(values);
  return Object.freeze(values);
}

function build(definition: SystemDefinition, environment: Environment): readonly Value[] {
  let built: readonly Value[];
  try {
    built = definition.build(environment);
  } catch (error) {
    throw usedTooEarly(error, `system(${show(definition.name)}): `) ?? error;
  }
  if (!Array.isArray(built)) throw notValues(definition, built);
  for (const value of built)
    if (!((value as Value | undefined)?.kind ?? "" in kinds)) throw notValues(definition, value);
  return built;
}

function notValues(definition: SystemDefinition, value: unknown): ModelError {
  return new ModelError({
    code: "MODEL_INVALID_VALUE",
    message: `system(${show(definition.name)}) returns ${show(value)}`,
    instead: "a list of values: return [ingress(…), service(…)]",
    place: definition.place,
  });
}

/** What V8 says of a constant that is not there yet, as what it is in a description: an order to change, or a cycle. */
export function usedTooEarly(error: unknown, where = ""): ModelError | undefined {
  const name =
    error instanceof ReferenceError && /^Cannot access '(.+)' before initialization$/.exec(error.message)?.[1];
  if (!name) return undefined;
  return new ModelError({
    code: "MODEL_CYCLE",
    message: `${where}${name} is used before it is defined, or in a cycle`,
    instead: `define ${name} further up; where two services call each other, one names the other: peer("name").url`,
    place: placeInStack(error.stack ?? ""),
  });
}

/** The values that an `env` names, without those that are named by a peer. */
function referredTo(value: Value): readonly Value[] {
  switch (value.kind) {
    case "secret":
      return [];
    case "postgres":
      return [value.options.user.secret, value.options.password.secret];
    case "adminer":
      return [value.options.database];
    case "ingress":
      return Object.values(value.options.routes);
    case "service":
      return Object.values(value.options.env ?? {}).flatMap((entry): Value[] => {
        if (typeof entry !== "object") return [];
        if (entry.kind === "secret-key") return [entry.secret];
        return entry.of.kind === "peer" ? [] : [entry.of];
      });
  }
}

function checkDistinct(values: readonly Value[]): void {
  const seen = new Map<string, Value>();
  for (const value of values) {
    // An Ingress and a Secret are objects of kinds of their own; everything else becomes a Deployment and a Service.
    const family = value.kind === "ingress" || value.kind === "secret" ? value.kind : "workload";
    const key = `${family}/${value.name}`;
    const first = seen.get(key);
    if (first) {
      throw new ModelError({
        code: "MODEL_DUPLICATE_NAME",
        message: `${value.kind}(${show(value.name)}): ${first.kind}(${show(first.name)})${first.place ? ` at ${formatPlace(first.place)}` : ""} has that name already`,
        instead: `another name: "${value.name}-2"`,
        place: value.place,
      });
    }
    seen.set(key, value);
  }
}

function checkNodePorts(values: readonly Value[]): void {
  const seen = new Map<number, Value>();
  for (const value of values) {
    const port = value.kind === "service" || value.kind === "adminer" ? value.options.nodePort : undefined;
    if (port === undefined) continue;
    const first = seen.get(port);
    if (first) {
      throw new ModelError({
        code: "MODEL_INVALID_VALUE",
        message: `${value.kind}(${show(value.name)}): nodePort ${port} is that of ${first.kind}(${show(first.name)})`,
        instead: `nodePort: ${port + 1}`,
        place: value.place,
        field: "nodePort",
      });
    }
    seen.set(port, value);
  }
}

function checkPeers(values: readonly Value[]): void {
  const names = values.filter((value) => value.kind === "service").map((value) => value.name);
  const there = new Set(names);
  for (const address of values.flatMap(addresses)) {
    if (address.of.kind !== "peer" || there.has(address.of.name)) continue;
    const meant = closest(address.of.name, names);
    throw new ModelError({
      code: "MODEL_REFERENCE_TO_NOTHING",
      message: `${address.of.subject.what}: the system has no service of that name`,
      instead: meant ? `peer("${meant}")` : `one of ${names.join(", ")}`,
      place: address.of.subject.place,
    });
  }
}

/** The addresses in a service's `env`: whom it calls. */
export function addresses(value: Value): readonly Address[] {
  if (value.kind !== "service") return [];
  return Object.values(value.options.env ?? {}).filter(
    (entry): entry is Address => typeof entry === "object" && entry.kind === "address",
  );
}
