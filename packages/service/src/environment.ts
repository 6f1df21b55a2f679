import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The place in a service's own source that called into this package: `src/configuration.ts:12`. */
function callerPlace(): string {
  const ownFolder = new URL(".", import.meta.url).href;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  for (const frame of frames) {
    const match = /(file:\/\/[^\s)]+|\/[^\s)]+):(\d+):\d+\)?$/.exec(frame.trim());
    if (!match?.[1] || !match[2] || match[1].startsWith(ownFolder)) continue;
    const file = match[1].startsWith("file:") ? fileURLToPath(match[1]) : match[1];
    const fromHere = relative(process.cwd(), file);
    return `${fromHere.startsWith("..") ? file : fromHere}:${match[2]}`;
  }
  return "?";
}

/** Ends the program with one line for whoever reads the last line of its log: the place in the source and what is wrong with its settings. */
export function refuseConfiguration(message: string): never {
  process.stderr.write(`${callerPlace()}   ${message}\n`);
  process.exit(1);
}

/** The value of an environment variable that the service cannot do without. Where it is missing or empty, the program ends with a line that says so. */
export function requiredEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "")
    refuseConfiguration(`${name} is ${value === "" ? "empty" : "not set"}; give it in env of this workload`);
  return value;
}

/** The value of an environment variable, or undefined where it is missing or empty. */
export function optionalEnvironment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/**
 * A whole number from the environment, `otherwise` where it is not given; anything else ends the program with a line that says so.
 * `tcp://…` counts as not given: Kubernetes sets POSTGRES_PORT so for every pod beside a Service called postgres (kubelet/envvars, service links).
 */
export function numberEnvironment(name: string, otherwise: number, range: readonly [number, number]): number {
  const text = process.env[name];
  if (text === undefined || text === "" || /^(?:tcp|udp|sctp):\/\//.test(text)) return otherwise;
  const value = Number(text);
  const [least, most] = range;
  if (!Number.isInteger(value) || value < least || value > most)
    refuseConfiguration(`${name} is ${JSON.stringify(text)}; give a whole number from ${least} to ${most}`);
  return value;
}
