import { copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { findProgram, run } from "./programs.ts";

/** Where an image's root, which may hold no program but its own, has those that start and enter a container. */
export const toolFolder = ".dhow";

const names = ["sh", "env", "script", "setpriv", "umount", "unshare"] as const;
export type Tool = (typeof names)[number];

/** Copies the tools with the libraries and the loader that they need, so that they run where there is another libc or none. */
export async function prepareTools(folder: string): Promise<void> {
  mkdirSync(join(folder, "lib"), { recursive: true });
  for (const name of names) {
    const program = findProgram(name);
    if (program === undefined) throw new Error(`${name} is not installed`);
    copyFileSync(program, join(folder, name));
    for (const library of await librariesOf(program)) {
      copyFileSync(library, join(folder, "lib", basename(library)));
      if (basename(library).startsWith("ld-")) copyFileSync(library, join(folder, "loader"));
    }
  }
}

/** `ldd` prints `libc.so.6 => /lib/…/libc.so.6 (0x…)`, and the loader as a bare path. */
async function librariesOf(program: string): Promise<string[]> {
  const output = await run(["ldd", program]);
  return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "");
}

/** How a tool is called from within a container. */
export function toolCommand(tool: Tool, root: "host" | readonly string[]): string[] {
  if (root === "host") return [tool];
  return [`/${toolFolder}/loader`, "--library-path", `/${toolFolder}/lib`, `/${toolFolder}/${tool}`];
}
