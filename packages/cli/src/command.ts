import { InvalidArgumentError } from "commander";

/** One command: what it is called, what it takes, and the one call it makes. */
export interface CommandDescription {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Commander's notation: `[system]` may be left out, `<name>` not. */
  readonly arguments: readonly { readonly name: string; readonly description: string; readonly default?: string }[];
  readonly options: readonly {
    readonly flags: string;
    readonly description: string;
    readonly parse?: (word: string) => unknown;
  }[];
  readonly example: string;
  /** Gives the exit code. */
  readonly run: (words: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<number>;
}

export const systemArgument = { name: "[system]", description: "the folder of system.ts", default: "." } as const;

export const environmentOption = {
  flags: "-e, --environment <name>",
  description:
    "what to describe the system for: development (the default), or another that system.ts lists; staging or production where it lists none",
} as const;

export const jsonOption = { flags: "--json", description: "print JSON for a script" } as const;

/** A TCP port in an option. */
export function parsePort(word: string): number {
  const port = Number(word);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError("A port is a whole number from 1 to 65535.");
}

/** How many lines, in an option. */
export function parseLines(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  throw new InvalidArgumentError("It is a whole number, 0 or more.");
}

/** How pods are kept apart; undefined: as well as this system allows. */
export function parseIsolation(word: string): "processes" | undefined {
  if (word === "namespaces") return undefined;
  if (word === "processes") return word;
  throw new InvalidArgumentError("It is namespaces or processes.");
}
