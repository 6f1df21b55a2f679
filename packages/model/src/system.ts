import { checkFields, checkName, type Subject } from "./check.ts";
import { collect } from "./collect.ts";
import { type Environment, environmentOf, type EnvironmentOptions } from "./environment.ts";
import { callingPlace } from "./place.ts";
import type { Named, Value } from "./value.ts";

export interface SystemOptions {
  /** By name: development, staging, production, or any other. What is left out has defaults. */
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

/** Builds the description for one environment and checks it as a whole. Throws a ModelError. */
export function describeSystem(
  definition: SystemDefinition,
  environmentName: string,
  version: string,
  overrides: EnvironmentOptions = {},
): System {
  const options = { ...definition.options.environments?.[environmentName], ...overrides };
  const environment = environmentOf(definition.name, environmentName, version, options);
  return Object.freeze({ name: definition.name, environment, values: collect(definition, environment) });
}
