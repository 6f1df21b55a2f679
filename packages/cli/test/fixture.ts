import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@dhow/testkit";

const command = fileURLToPath(new URL("../bin/dhow.js", import.meta.url));
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a person would, from the given folder, without a terminal. */
export function dhow(cwd: string, ...words: string[]): Answer {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
    cwd,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

/** The same for what goes on until it is told to stop. */
export function startDhow(cwd: string, ...words: string[]) {
  return spawn(process.execPath, [command, ...words], { cwd, stdio: ["ignore", "pipe", "pipe"] });
}

/** A user's folder with these files and dhow installed. */
export function userFolder(files: Readonly<Record<string, string>>): ReturnType<typeof temporaryFolder> {
  const folder = temporaryFolder();
  symlinkSync(modules, join(folder.path, "node_modules"));
  for (const [name, text] of Object.entries({ "package.json": '{ "type": "module", "version": "1.2.0" }', ...files })) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), text);
  }
  return folder;
}
