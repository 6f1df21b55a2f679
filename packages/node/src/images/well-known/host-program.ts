import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { imageErrors } from "../errors.ts";
import type { RunnableImage } from "../images.ts";
import { findHostProgram, ordinaryUser, podPath } from "../programs.ts";

interface HostProgram {
  readonly reference: string;
  /** The first of these that is there is started. */
  readonly names: readonly string[];
  /** The line that brings it. */
  readonly install: string;
  readonly entrypoint: (program: string) => readonly string[];
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: number;
}

/** An image whose program is one that is installed on this machine. */
export function hostProgramImage(options: HostProgram): RunnableImage {
  const program = options.names.map(findHostProgram).find((path) => path !== undefined);
  if (!program) throw imageErrors.programMissing(options.reference, options.names.join(" or "), options.install);
  const { size, mtimeMs } = statSync(program);
  return {
    root: "host",
    mounts: [],
    entrypoint: options.entrypoint(program),
    command: options.command,
    env: { PATH: podPath, ...options.env },
    workingDirectory: options.workingDirectory ?? "/",
    user: options.user ?? ordinaryUser,
    group: options.user ?? ordinaryUser,
    digest: `sha256:${createHash("sha256").update(`${program}\0${size}\0${mtimeMs}`).digest("hex")}`,
  };
}
