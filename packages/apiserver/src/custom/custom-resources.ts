import { timestamp } from "@dhow/kube";
import { type Reporter } from "@dhow/base";
import { messageOf } from "@dhow/base";
import type { UserInfo } from "../admission.ts";
import type { Call } from "../registry/call.ts";
import type { Catalog } from "../registry/catalog.ts";
import { parseDeleteOptions } from "../registry/delete-options.ts";
import { deleteObject } from "../registry/delete.ts";
import type { Registry } from "../registry/registry.ts";
import type { Resource } from "../registry/resource.ts";
import { cleanupFinalizer, type Definition, definitionsResource } from "./definition.ts";
import { isTrue, namedStatus, sameStatus } from "./names.ts";
import { resourcesOf } from "./resources.ts";

const ourselves: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

interface Served {
  readonly definition: Definition;
  readonly resources: readonly Resource[];
}

/**
 * Keeps what is served in step with the CustomResourceDefinitions that are stored: accepts their names, serves their versions, and
 * deletes their objects with them. On a real cluster the API server does this, too (apiextensions-apiserver/pkg/controller).
 */
export class CustomResources {
  readonly #registry: Registry;
  readonly #catalog: Catalog;
  readonly #reporter: Reporter;
  readonly #served = new Map<string, Served>();
  readonly #emptying = new Set<string>();

  constructor(registry: Registry, catalog: Catalog, reporter: Reporter) {
    this.#registry = registry;
    this.#catalog = catalog;
    this.#reporter = reporter;
  }

  /** Serves what is there, and follows the definitions until the storage closes. */
  start(): void {
    const { storage } = this.#registry;
    this.#refresh();
    const stop = storage.events(definitionsResource).onAppend(() => this.#refresh());
    storage.onClose(stop);
  }

  #refresh(): void {
    const all = this.#registry.store.list<Definition>(definitionsResource);
    const names = new Set(all.map(({ metadata }) => metadata.name ?? ""));
    for (const [name, { resources }] of this.#served) if (!names.has(name)) this.#withdraw(name, resources);
    for (const definition of all) {
      this.#accept(definition, all);
      this.#serve(definition);
      if (definition.metadata.deletionTimestamp) this.#empty(definition);
    }
  }

  #accept(definition: Definition, all: readonly Definition[]): void {
    if (definition.metadata.deletionTimestamp) return;
    const { group } = definition.spec;
    const others = all.filter((one) => one !== definition && one.spec.group === group);
    const now = timestamp(this.#registry.clock.now());
    if (sameStatus(definition.status, namedStatus(definition, others, now))) return;
    const { name = "", uid } = definition.metadata;
    const write = this.#registry.store.modify(definitionsResource, undefined, name, (current) => {
      if (current.metadata.uid !== uid || current.metadata.deletionTimestamp) return undefined;
      const found = this.#registry.store
        .list<Definition>(definitionsResource)
        .filter((one) => one.metadata.name !== name && one.spec.group === group);
      return { ...current, status: namedStatus(current as Definition, found, now) };
    });
    write.catch((error: unknown) => this.#fail(name, error));
  }

  #serve(definition: Definition): void {
    const { name = "" } = definition.metadata;
    const before = this.#served.get(name);
    if (before?.definition === definition || !isTrue(definition, "Established")) return;
    this.#withdraw(name, before?.resources ?? []);
    const terminating = definition.metadata.deletionTimestamp !== undefined;
    const resources = resourcesOf(definition).map((resource) => (terminating ? withoutCreation(resource) : resource));
    for (const resource of resources) this.#catalog.add(resource);
    this.#served.set(name, { definition, resources });
  }

  #withdraw(name: string, resources: readonly Resource[]): void {
    for (const { apiVersion, info } of resources) this.#catalog.remove(apiVersion, info.resource);
    this.#served.delete(name);
  }

  /** Deletes the objects of a definition that goes away; when there are none, it may go (controller/finalizer/crd_finalizer.go). */
  #empty(definition: Definition): void {
    const { name = "" } = definition.metadata;
    if (this.#emptying.has(name)) return;
    this.#emptying.add(name);
    this.#emptyAll(definition)
      .catch((error: unknown) => this.#fail(name, error))
      .finally(() => this.#emptying.delete(name));
  }

  async #emptyAll({ metadata: { name = "" } }: Definition): Promise<void> {
    const { clock, storage, store } = this.#registry;
    const resource = this.#served.get(name)?.resources[0];
    if (resource) {
      await this.#deleteObjects(resource);
      if (storage.count(resource.storedAs) > 0) {
        // Finalizers hold some of them: whoever set these lets them go.
        clock.after(500, () => this.#refresh());
        return;
      }
    }
    const finalizers = (current: readonly string[] | undefined) =>
      (current ?? []).filter((one) => one !== cleanupFinalizer);
    const left = store.get(definitionsResource, undefined, name);
    if (left && finalizers(left.metadata.finalizers).length === 0) await this.#remove(name);
    else {
      await store.modify(definitionsResource, undefined, name, (current) => ({
        ...current,
        metadata: { ...current.metadata, finalizers: finalizers(current.metadata.finalizers) },
      }));
    }
  }

  async #remove(name: string): Promise<void> {
    const { storage } = this.#registry;
    const stored = storage.get(definitionsResource, name);
    if (stored) await storage.remove(definitionsResource, name, stored.revision);
  }

  async #deleteObjects(resource: Resource): Promise<void> {
    const { storage } = this.#registry;
    const options = parseDeleteOptions(undefined, new URLSearchParams());
    const deletions = storage.list(resource.storedAs).map(async ({ object }) => {
      if (object.metadata.deletionTimestamp) return;
      const { name = "", namespace } = object.metadata;
      try {
        await deleteObject(this.#registry, ourCall(resource, namespace, name), options);
      } catch (error) {
        if ((error as { reason?: string }).reason !== "NotFound") throw error;
      }
    });
    await Promise.all(deletions);
  }

  #fail(name: string, error: unknown): void {
    this.#reporter.report({
      kind: "apiserver.failure",
      level: "error",
      subject: `customresourcedefinition/${name}`,
      message: messageOf(error),
    });
  }
}

function withoutCreation(resource: Resource): Resource {
  return { ...resource, info: { ...resource.info, verbs: resource.info.verbs.filter((verb) => verb !== "create") } };
}

function ourCall(resource: Resource, namespace: string | undefined, name: string): Call {
  return {
    resource,
    namespace,
    name,
    subresource: "",
    query: new URLSearchParams(),
    user: ourselves,
    userAgent: "apiserver",
    contentType: "application/json",
    body: new Uint8Array(),
    signal: () => undefined,
    warn: () => undefined,
  };
}
