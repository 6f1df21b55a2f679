import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Mount } from "../sandbox/sandbox.ts";

interface Manifest {
  readonly main?: string;
  readonly workspaces?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Where a source's files are seen in a pod. */
export const applicationFolder = "/app";

/** Dhow's own state lies in a system's folder; no pod sees it. */
const hidden = new Set([".dhow", ".git"]);

export function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** The folder above (or at) a source whose node_modules its imports are resolved in: the nearest workspace root, else the nearest that has packages. */
export function findWorkspace(source: string): string {
  let withPackages: string | undefined;
  for (let folder = source; ; folder = dirname(folder)) {
    if (readManifest(folder)?.workspaces !== undefined) return folder;
    if (existsSync(join(folder, "node_modules"))) withPackages ??= folder;
    if (dirname(folder) === folder) return withPackages ?? source;
  }
}

export interface WorkspaceView {
  readonly mounts: readonly Mount[];
  /** The source's folder as the pod sees it. */
  readonly workingDirectory: string;
  /** The folders whose change is a change of the program. */
  readonly folders: readonly string[];
}

/** The folders whose change is a change of the program that a source folder is: its own, and those of the workspace packages it depends on. */
export function programFolders(source: string): readonly string[] {
  const real = realpathSync(source);
  return foldersOf(real, findWorkspace(real));
}

/**
 * What of a workspace a service sees, at the same places under /app: its own folder, the installed packages, and the workspace packages
 * that it depends on, which stand in node_modules as symbolic links. Never the rest of the repository.
 */
export function workspaceView(source: string, workspace: string): WorkspaceView {
  const folders = foldersOf(source, workspace);
  const mounts = folders.flatMap((folder) => folderMounts(folder, workspace));
  const installed = join(workspace, "node_modules");
  if (!isWithin(installed, source) && existsSync(installed)) mounts.push(mountAt(installed, workspace));
  return { mounts, workingDirectory: target(source, workspace), folders };
}

function foldersOf(source: string, workspace: string): string[] {
  return [source, ...linkedPackages(source, workspace).filter((folder) => !isWithin(folder, source))];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

function target(path: string, workspace: string): string {
  return join(applicationFolder, relative(workspace, path));
}

function mountAt(path: string, workspace: string): Mount {
  return { source: path, target: target(path, workspace), readOnly: true };
}

/** A folder as a whole, or what is in it one by one where something in it is not for pods. */
function folderMounts(folder: string, workspace: string): Mount[] {
  const entries = readdirSync(folder);
  if (!entries.some((entry) => hidden.has(entry))) return [mountAt(folder, workspace)];
  return entries
    .filter((entry) => !hidden.has(entry) && !lstatSync(join(folder, entry)).isSymbolicLink())
    .map((entry) => mountAt(join(folder, entry), workspace));
}

/** The workspace packages that a source depends on, directly or through one another. */
function linkedPackages(source: string, workspace: string): string[] {
  const found = new Set<string>();
  const visit = (folder: string) => {
    const manifest = readManifest(folder);
    const names = Object.keys({
      ...manifest?.dependencies,
      ...manifest?.peerDependencies,
      ...manifest?.optionalDependencies,
    });
    for (const name of names) {
      const linked = linkTarget(folder, workspace, name);
      if (!linked || found.has(linked) || linked === source || !isWithin(linked, workspace)) continue;
      found.add(linked);
      visit(linked);
    }
  };
  visit(source);
  return [...found];
}

/** Where a dependency's symbolic link leads; undefined for a package that is installed in place. */
function linkTarget(folder: string, workspace: string, name: string): string | undefined {
  for (const modules of [join(folder, "node_modules"), join(workspace, "node_modules")]) {
    const status = lstatSync(join(modules, name), { throwIfNoEntry: false });
    if (status?.isSymbolicLink()) return realpathSync(join(modules, name));
    if (status) return undefined;
  }
  return undefined;
}
