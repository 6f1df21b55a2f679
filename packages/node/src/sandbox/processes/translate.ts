import { posix } from "node:path";
import type { ContainerConfig, Mount } from "../sandbox.ts";

/** Puts the host's paths where a command line, an environment or a working directory names a mount's. Paths that a program has written into itself stay what they are. */
export function translator(mounts: readonly Mount[]): (text: string) => string {
  const longestFirst = mounts
    .map(({ source, target }) => ({ source, target: posix.normalize(target).replace(/\/$/, "") }))
    .sort((a, b) => b.target.length - a.target.length);
  const sources = new Map(longestFirst.map(({ source, target }) => [target, source]));
  if (longestFirst.length === 0) return (text) => text;
  const targets = longestFirst.map(({ target }) => target.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  // A path begins where no path goes on, and the mount's name ends where the name of a file ends.
  const pattern = new RegExp(`(?<![\\w./-])(${targets})(?=$|[^\\w.-])`, "g");
  return (text) => text.replace(pattern, (target) => sources.get(target) ?? target);
}

export function translateContainer(config: ContainerConfig, mounts: readonly Mount[]) {
  const translate = translator(mounts);
  return {
    argv: config.argv.map(translate),
    env: Object.fromEntries(Object.entries(config.env).map(([name, value]) => [name, translate(value)])),
    workingDirectory: translate(config.workingDirectory || "/"),
    translate,
  };
}
