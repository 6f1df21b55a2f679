import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describeSystem, type System, type SystemDefinition } from "@dhow/model";
import { developmentError } from "./errors.ts";
import { checkSyntax, explain } from "./explain.ts";
import { checkSources } from "./sources.ts";

/** A loaded description, and the folder that its sources are relative to. */
export interface LoadedSystem {
  readonly folder: string;
  readonly file: string;
  readonly system: System;
}

/** The file of a system: the one named, or `system.ts` in the folder named. */
export function systemFile(path: string): string {
  const found = resolve(path);
  if (existsSync(found) && statSync(found).isFile()) return found;
  const file = join(found, "system.ts");
  if (existsSync(file)) return file;
  throw developmentError("SYSTEM_NOT_FOUND", {
    message: existsSync(found) ? `there is no system.ts in ${found}` : `there is no folder ${found}`,
    instead: "dhow <command> <folder of system.ts>",
  });
}

/** Reads `system.ts`, without a build, and describes it for one environment. Throws a DhowError with file, line and what to write instead. */
export async function loadSystem(path: string, environment: string): Promise<LoadedSystem> {
  const file = systemFile(path);
  const folder = dirname(file);
  const definition = await importDefinition(file);
  const version = versionOf(folder);
  try {
    const system = describeSystem(definition, environment, environment === "development" ? `${version}-dev` : version);
    checkSources(system, folder);
    return { folder, file, system };
  } catch (error) {
    throw explain(error, file);
  }
}

async function importDefinition(file: string): Promise<SystemDefinition> {
  checkSyntax(file);
  let exported: { default?: unknown };
  try {
    exported = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    throw explain(error, file);
  }
  const definition = exported.default as Partial<SystemDefinition> | undefined;
  if (definition?.kind === "system") return definition as SystemDefinition;
  throw developmentError("SYSTEM_NOT_EXPORTED", {
    message: `${basename(file)} exports no system by default`,
    place: { file, line: 1 },
    instead: 'export default system("name", (environment) => [ … ])',
  });
}

/** The version in the package.json beside system.ts, else 0.0.0. */
function versionOf(folder: string): string {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return "0.0.0";
  return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version ?? "0.0.0";
}
