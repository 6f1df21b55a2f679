import { type ResourceInfo } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { conversions } from "./conversions.ts";
import { makeResource, type Resource } from "./resource.ts";
import { selectableFields } from "./selectable-fields.ts";

/** All resources that are served: the built-in ones and those of CustomResourceDefinitions. */
export class Catalog {
  readonly #byPath = new Map<string, Resource>();
  readonly #namespaced = new Map<string, boolean>();

  constructor(builtIn: readonly ResourceInfo[], strategies: Readonly<Record<string, Strategy>>) {
    for (const info of builtIn) {
      const resource = makeResource(info, {});
      const { storedAs = resource.name, conversion } = conversions[`${resource.apiVersion} ${info.resource}`] ?? {};
      const strategy = strategies[storedAs] ?? {};
      const fields = selectableFields[resource.name] ?? {};
      this.add(makeResource(info, { storedAs, conversion, strategy, selectableFields: fields }));
    }
  }

  add(resource: Resource): void {
    this.#byPath.set(`${resource.apiVersion} ${resource.info.resource}`, resource);
    this.#namespaced.set(resource.storedAs, resource.info.namespaced);
  }

  remove(apiVersion: string, plural: string): void {
    this.#byPath.delete(`${apiVersion} ${plural}`);
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group === "" ? version : `${group}/${version}`} ${plural}`);
  }

  /** @param storedAs what the objects are stored under: `deployments.apps`. */
  isNamespaced(storedAs: string): boolean {
    return this.#namespaced.get(storedAs) ?? false;
  }

  all(): Iterable<Resource> {
    return this.#byPath.values();
  }

  ofGroup(group: string): Resource[] {
    return [...this.#byPath.values()].filter(({ info }) => info.group === group);
  }
}
