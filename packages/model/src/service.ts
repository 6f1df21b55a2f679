import { checkFields, checkName, checkPath, checkQuantity, checkWhole, invalid, type Subject } from "./check.ts";
import { callingPlace } from "./place.ts";
import type { Postgres } from "./postgres.ts";
import type { SecretKey } from "./secret.ts";
import type { Adjust, Named } from "./value.ts";

/** Where something listens. In `env` it says three things: the value, that its owner may be called, and that nothing else may. */
export interface Address {
  readonly kind: "address";
  readonly of: Service | Postgres | Peer;
  readonly part: "url" | "host";
}

/** A service by its name, for services that call each other: one of the two has to be named before it is defined. */
export interface Peer {
  readonly kind: "peer";
  readonly name: string;
  readonly subject: Subject;
  readonly url: Address;
  readonly host: Address;
}

export type EnvironmentValue = string | number | boolean | Address | SecretKey;

export interface Amounts {
  /** Kubernetes quantities: "250m" is a quarter of a processor. */
  readonly cpu?: string;
  readonly memory?: string;
}

export interface Resources {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}

/** When a probe asks, in seconds. */
export interface ProbeTiming {
  readonly initialDelay?: number;
  readonly period?: number;
}

export interface ServiceOptions {
  /** A folder beside system.ts. TypeScript runs as it is: `main` of its package.json, else src/main.ts. */
  readonly source?: string;
  /** The command that starts the source where it is not TypeScript, such as "python3 app.py". */
  readonly run?: string;
  /** Somebody else's image instead of a source, with a version: "nginx:1.27.3". */
  readonly image?: string;
  readonly port: number;
  /** 2 unless said. */
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, EnvironmentValue>>;
  /** The path that answers 200 while the service is sound; "/health" unless said. */
  readonly health?: string;
  /** The path that answers 200 while it can serve; that of `health` unless said. For what waits for others, such as a database. */
  readonly ready?: string;
  readonly probes?: { readonly liveness?: ProbeTiming; readonly readiness?: ProbeTiming };
  readonly resources?: Resources;
  /** Opens it on this port of every node, 30000 to 32767. */
  readonly nodePort?: number;
  /** Folders that the program may write to; they are empty at every start. /tmp always is one. */
  readonly writable?: readonly string[];
  /** Whether it may call out of the cluster; no unless said. */
  readonly internet?: boolean;
  /** Seconds that it gets to finish after SIGTERM; 30 unless said. */
  readonly grace?: number;
  readonly adjust?: Adjust;
}

export interface Service extends Named {
  readonly kind: "service";
  readonly options: ServiceOptions;
  /** `http://<name>:<port>`, for the `env` of whoever calls it. */
  readonly url: Address;
  readonly host: Address;
}

const fields: readonly (keyof ServiceOptions)[] = [
  "source",
  "run",
  "image",
  "port",
  "replicas",
  "env",
  "health",
  "ready",
  "probes",
  "resources",
  "nodePort",
  "writable",
  "internet",
  "grace",
  "adjust",
];

/** Something that listens: TypeScript by default, any program by `run`, somebody else's by `image`. Becomes a Deployment and a Service. */
export function service(name: string, options: ServiceOptions): Service {
  const subject: Subject = { what: `service(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  checkFields(subject, options, fields, ["port"]);
  checkOrigin(subject, options);
  checkWhole(subject, "port", options.port, 1, 65535);
  checkWhole(subject, "replicas", options.replicas, 0, 1000);
  checkWhole(subject, "nodePort", options.nodePort, 30000, 32767);
  checkWhole(subject, "grace", options.grace, 1, 3600);
  checkResources(subject, options.resources);
  checkTimings(subject, options.probes);
  checkEnvironment(subject, options.env);
  checkPath(subject, "health", options.health);
  checkPath(subject, "ready", options.ready);
  const value: { -readonly [Field in keyof Service]?: Service[Field] } = {
    kind: "service",
    name,
    place: subject.place,
  };
  value.options = Object.freeze({ ...options, env: Object.freeze({ ...options.env }) });
  return withAddresses(value as Service);
}

/** A service that is defined further down, by its name: for two services that call each other. */
export function peer(name: string): Peer {
  const subject: Subject = { what: `peer(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  return withAddresses({ kind: "peer", name, subject } as Peer);
}

function withAddresses<Owner extends Service | Peer>(owner: Owner): Owner {
  const address = (part: Address["part"]): Address => Object.freeze({ kind: "address", of: owner, part });
  return Object.freeze(Object.assign(owner, { url: address("url"), host: address("host") }));
}

function checkOrigin(subject: Subject, options: ServiceOptions): void {
  if (!options.source && !options.image)
    throw invalid(subject, "source", options.source, '"<folder of its code>" (or image: "name:version")');
  if (options.source && options.image)
    throw invalid(subject, "image", options.image, "leave it out where there is a source, or leave out the source");
  if (options.image && (!/:[^/]+$|@sha256:/.test(options.image) || options.image.endsWith(":latest"))) {
    throw invalid(
      subject,
      "image",
      options.image,
      `a version, never "latest": "${options.image.replace(/:latest$/, "")}:1.2.3"`,
    );
  }
}

function checkTimings(subject: Subject, probes: ServiceOptions["probes"]): void {
  for (const [probe, timing] of Object.entries(probes ?? {})) {
    checkFields({ ...subject, what: `${subject.what}, probes.${probe}` }, timing, ["initialDelay", "period"], []);
    checkWhole(subject, `probes.${probe}.initialDelay`, timing.initialDelay, 0, 3600);
    checkWhole(subject, `probes.${probe}.period`, timing.period, 1, 3600);
  }
}

export function checkResources(subject: Subject, resources: Resources | undefined): void {
  if (resources === undefined) return;
  checkFields({ ...subject, what: `${subject.what}, resources` }, resources, ["requests", "limits"], []);
  for (const [side, amounts] of Object.entries(resources)) {
    checkFields({ ...subject, what: `${subject.what}, resources.${side}` }, amounts, ["cpu", "memory"], []);
    checkQuantity(subject, `resources.${side}.cpu`, amounts.cpu);
    checkQuantity(subject, `resources.${side}.memory`, amounts.memory);
  }
}

function checkEnvironment(subject: Subject, env: ServiceOptions["env"]): void {
  for (const [name, value] of Object.entries(env ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw invalid(subject, `env["${name}"]`, value, "a name of letters, digits and _, such as DATABASE_URL");
    }
    if (["string", "number", "boolean"].includes(typeof value)) continue;
    const kind = (value as { kind?: string } | undefined)?.kind;
    if (kind === "address" || kind === "secret-key") continue;
    const meant =
      kind === "service" || kind === "postgres" || kind === "peer"
        ? `${(value as unknown as Named).name}.url`
        : undefined;
    throw invalid(
      subject,
      `env.${name}`,
      value === undefined ? "undefined" : value,
      meant ? `its address: ${meant}` : "a text, a number, an address (db.url) or an entry of a secret (secrets.KEY)",
    );
  }
}
