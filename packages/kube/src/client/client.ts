import type { HttpRequest, HttpResponse, Transport } from "../http.ts";
import type { KubeList, KubeObject } from "../objects.ts";
import { isStatusError } from "../status.ts";
import { failureOf, readJson, readText } from "./bodies.ts";
import { ResourceFinder } from "./discovery.ts";
import type {
  ApplyOptions,
  DeleteOptions,
  GetOptions,
  ListOptions,
  PatchOptions,
  PatchType,
  SubresourceOptions,
  WatchOptions,
  WriteOptions,
} from "./options.ts";
import { type ObjectRef, type QueryValue, queryString, resourcePath } from "./paths.ts";
import { decodeWatch, eventOf, type WatchEvent } from "./watch-stream.ts";

const patchTypes: Readonly<Record<PatchType | "apply", string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

interface Call {
  readonly method: string;
  readonly ref: ObjectRef;
  readonly subresource?: string | undefined;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The ref of an object in hand. */
export function refOf(object: KubeObject): ObjectRef {
  const { namespace, name } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  };
}

/** Speaks the Kubernetes API over any transport. What the server refuses is thrown as a StatusError; what the transport throws passes through. */
export class KubeClient {
  readonly #transport: Transport;
  readonly #userAgent: string;
  readonly #resources: ResourceFinder;

  constructor(transport: Transport, options: { readonly userAgent?: string } = {}) {
    this.#transport = transport;
    this.#userAgent = options.userAgent ?? "dhow";
    this.#resources = new ResourceFinder((request) => this.raw(request));
  }

  /** Sends a request as it is, with the client's user agent; the answer is not looked at. */
  raw(request: HttpRequest): Promise<HttpResponse> {
    return this.#transport.request({ ...request, headers: { "user-agent": this.#userAgent, ...request.headers } });
  }

  async get<T extends KubeObject = KubeObject>(ref: ObjectRef, options: GetOptions = {}): Promise<T> {
    const { signal, ...query } = options;
    return (await this.#json({ method: "GET", ref, query: { ...query }, signal })) as T;
  }

  /** As `get`, with undefined where there is no such object. */
  async find<T extends KubeObject = KubeObject>(ref: ObjectRef, options: GetOptions = {}): Promise<T | undefined> {
    try {
      return await this.get<T>(ref, options);
    } catch (error) {
      if (isStatusError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /**
   * The whole collection, read in pages of `limit` (500). Items carry apiVersion and kind, which the server leaves out. Where a page token expires under way, the list is read anew in one piece.
   */
  async list<T extends KubeObject = KubeObject>(ref: ObjectRef, options: ListOptions = {}): Promise<KubeList<T>> {
    const { signal, ...query } = options;
    const page = (more: Readonly<Record<string, QueryValue>>) =>
      this.#json({ method: "GET", ref, query: { limit: 500, ...query, ...more }, signal }) as Promise<KubeList<T>>;
    let list = await page({});
    const items = list.items ?? [];
    while (list.metadata.continue) {
      try {
        list = await page({ continue: list.metadata.continue, resourceVersion: undefined });
      } catch (error) {
        if (!isStatusError(error, "Expired")) throw error;
        list = await page({ limit: undefined });
        items.length = 0;
      }
      items.push(...(list.items ?? []));
    }
    for (const item of items) {
      item.apiVersion ??= ref.apiVersion;
      item.kind ??= ref.kind;
    }
    return { ...list, items };
  }

  async create<T extends KubeObject = KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const { signal, ...query } = options;
    const { name: _, ...collection } = refOf(object);
    return (await this.#json({ method: "POST", ref: collection, query: { ...query }, body: object, signal })) as T;
  }

  /** Replaces an object; with a resourceVersion in its metadata only if nobody else wrote since (409 otherwise). */
  async update<T extends KubeObject = KubeObject>(object: T, options: SubresourceOptions = {}): Promise<T> {
    const { signal, subresource, ...query } = options;
    return (await this.#json({
      method: "PUT",
      ref: refOf(object),
      subresource,
      query: { ...query },
      body: object,
      signal,
    })) as T;
  }

  updateStatus<T extends KubeObject = KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    return this.update(object, { ...options, subresource: "status" });
  }

  async patch<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    type: PatchType,
    body: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const { signal, subresource, ...query } = options;
    const contentType = patchTypes[type];
    return (await this.#json({
      method: "PATCH",
      ref,
      subresource,
      query: { ...query },
      body,
      contentType,
      signal,
    })) as T;
  }

  /** Server-side apply. */
  async apply<T extends KubeObject = KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    const { signal, subresource, ...query } = options;
    return (await this.#json({
      method: "PATCH",
      ref: refOf(object),
      subresource,
      query: { ...query },
      body: object,
      contentType: patchTypes.apply,
      signal,
    })) as T;
  }

  /** Deletes an object; the answer is the object while something still holds it (finalizers, grace), a Status once it is gone. */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<unknown> {
    const { signal, dryRun, labelSelector, fieldSelector, ...body } = options;
    return this.#json({
      method: "DELETE",
      ref,
      query: { dryRun, labelSelector, fieldSelector },
      body: { apiVersion: "v1", kind: "DeleteOptions", ...body },
      signal,
    });
  }

  /** Calls a subresource such as `scale`, `eviction`, `binding` or `token`. */
  async subresource<T = KubeObject>(
    ref: ObjectRef,
    subresource: string,
    method: string,
    body?: unknown,
    options: { readonly query?: Readonly<Record<string, QueryValue>>; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const call = { method, ref, subresource, query: options.query ?? {}, signal: options.signal };
    return (await this.#json(body === undefined ? call : { ...call, body })) as T;
  }

  /** One watch, until the server ends it (it does so after `timeoutSeconds`) or the signal is aborted, which throws. Whoever stops iterating closes the connection. */
  async *watch<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<T>> {
    const { signal, ...query } = options;
    const response = await this.#send({ method: "GET", ref, query: { watch: true, ...query }, signal });
    if (response.status >= 300) throw failureOf(response, await readText(response.body));
    if (!response.events) yield* decodeWatch<T>(response.body);
    // From a server in the same process. One generator, as each that an event passes through costs a few turns of the microtask queue.
    else for await (const together of response.events) for (const notice of together) yield eventOf<T>(notice);
  }

  async #json(call: Call): Promise<unknown> {
    return readJson(await this.#send(call));
  }

  async #send(call: Call): Promise<HttpResponse> {
    const { ref, body, signal } = call;
    const at = await this.#resources.find(ref.apiVersion, ref.kind);
    const path = resourcePath(at, ref.namespace, ref.name, call.subresource);
    return this.raw({
      method: call.method,
      path: path + queryString(call.query ?? {}),
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  }
}
