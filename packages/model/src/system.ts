import { checkFields, checkName, show, type Subject } from "./check.ts";
import { collect } from "./collect.ts";
import { type Environment, environmentOf, type EnvironmentOptions } from "./environment.ts";
import { ModelError } from "./errors.ts";
import { callingPlace } from "./place.ts";
import type { Named, Value } from "./value.ts";

export interface SystemOptions {
  /**
   * By name: those that the system has, beside development, which is always there. What is left out of one has defaults. A system that lists none has
   * development, staging and production.
   */
  readonly environments?: Readonly<Record<string, EnvironmentOptions>>;
}

export type Build = (environment: Environment) => readonly Value[];

/** What `system.ts` exports by default. */
export interface SystemDefinition extends Named {
  readonly kind: "system";
  readonly build: Build;
  readonly options: SystemOptions;
}

/** A system in one environment: every value that can be reached, in the order in which they are to start. */
export interface System {
  readonly name: string;
  readonly environment: Environment;
  readonly values: readonly Value[];
}

/** A whole system: a name, and a function from an environment to its values. What those refer to need not be listed. */
export function system(name: string, build: Build, options: SystemOptions = {}): SystemDefinition {
  const subject: Subject = { what: `system(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  checkFields(subject, options, ["environments"], []);
  for (const [environment, of] of Object.entries(options.environments ?? {})) {
    const place: Subject = { ...subject, what: `${subject.what}, environments.${environment}` };
    checkFields(place, of, ["namespace", "host", "registry", "storageClass"], []);
    checkName(place, environment);
  }
  return Object.freeze({ kind: "system", name, place: subject.place, build, options });
}

const usual = ["development", "staging", "production"];
const oneOf = new Intl.ListFormat("en", { type: "disjunction" });

/** The names of the environments that a system has. A misspelt one is not one more: its namespace and its objects would be made, and nobody would look for them. */
function environmentNames({ options }: SystemDefinition): readonly string[] {
  const listed = Object.keys(options.environments ?? {});
  return listed.length > 0 ? [...new Set(["development", ...listed])] : usual;
}

function checkEnvironment(definition: SystemDefinition, name: string): void {
  const names = environmentNames(definition);
  if (names.includes(name)) return;
  throw new ModelError({
    code: "MODEL_UNKNOWN_ENVIRONMENT",
    message: `system(${show(definition.name)}) has no environment ${show(name)}`,
    instead: `${oneOf.format(names)}; another is listed first: system(…, …, { environments: { … } })`,
    place: definition.place,
    field: "environments",
  });
}

/** Builds the description for one of its environments and checks it as a whole. Throws a ModelError. */
export function describeSystem(
  definition: SystemDefinition,
  environmentName: string,
  version: string,
  overrides: EnvironmentOptions = {},
): System {
  checkEnvironment(definition, environmentName);
  const options = { ...definition.options.environments?.[environmentName], ...overrides };
  const environment = environmentOf(definition.name, environmentName, version, options);
  return Object.freeze({ name: definition.name, environment, values: collect(definition, environment) });
}
