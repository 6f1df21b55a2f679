import type { HttpRequest, HttpResponse } from "../http.ts";
import { resourceByKind } from "../resources.ts";
import { unknownResource } from "../status.ts";
import { readJson } from "./bodies.ts";
import { type ResourcePath, versionPath } from "./paths.ts";

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Finds where a kind is served: built-in kinds are known, others are asked for once. */
export class ResourceFinder {
  readonly #request: (request: HttpRequest) => Promise<HttpResponse>;
  readonly #asked = new Map<string, Promise<readonly ApiResource[]>>();

  constructor(request: (request: HttpRequest) => Promise<HttpResponse>) {
    this.#request = request;
  }

  /** Throws a 404 StatusError where the server knows no such kind. */
  async find(apiVersion: string, kind: string): Promise<ResourcePath> {
    const known = resourceByKind(apiVersion, kind);
    if (known) return { apiVersion, resource: known.resource, namespaced: known.namespaced };
    const resources = await this.#resourcesOf(apiVersion);
    const found = resources.find((resource) => resource.kind === kind && !resource.name.includes("/"));
    if (found) return { apiVersion, resource: found.name, namespaced: found.namespaced };
    // A definition may have been added since.
    this.#asked.delete(apiVersion);
    throw unknownResource();
  }

  #resourcesOf(apiVersion: string): Promise<readonly ApiResource[]> {
    const asked = this.#asked.get(apiVersion);
    if (asked) return asked;
    const answer = this.#ask(apiVersion);
    this.#asked.set(apiVersion, answer);
    answer.catch(() => this.#asked.delete(apiVersion));
    return answer;
  }

  async #ask(apiVersion: string): Promise<readonly ApiResource[]> {
    const headers = { accept: "application/json" };
    const response = await this.#request({ method: "GET", path: versionPath(apiVersion), headers });
    return ((await readJson(response)) as { resources?: ApiResource[] }).resources ?? [];
  }
}
