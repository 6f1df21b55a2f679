import { randomUUID } from "node:crypto";
import type { HttpRequest, HttpResponse, KubeObject, Transport } from "@dhow/kube";

type Watcher = {
  readonly prefix: string;
  readonly matches: (object: KubeObject) => boolean;
  readonly push: (event: string) => void;
};

/** The least of an API that a kubelet talks to: objects under paths, merge patches, deletion with grace, watches. */
export class ObjectApi implements Transport {
  readonly objects = new Map<string, KubeObject>();
  /** Every state that was ever stored, oldest first. */
  readonly history: { readonly path: string; readonly object: KubeObject }[] = [];
  readonly #watchers = new Set<Watcher>();
  #revision = 0;

  async request(request: HttpRequest): Promise<HttpResponse> {
    const url = new URL(request.path, "http://api");
    const body =
      request.body === undefined
        ? undefined
        : (JSON.parse(request.body as string) as KubeObject & Record<string, unknown>);
    const path = url.pathname.replace(/\/status$/, "");
    if (request.method === "GET") return this.#read(path, url, request.signal);
    if (request.method === "POST" && path.endsWith("/token")) {
      return answer(201, {
        status: { token: "token", expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() },
      });
    }
    if (request.method === "POST" && body) return this.#create(`${path}/${body.metadata.name}`, body);
    const present = this.objects.get(path);
    if (!present) return failure(404, "NotFound", `${path} not found`);
    if (request.method === "DELETE") return answer(200, this.delete(path, Number(body?.["gracePeriodSeconds"] ?? 30)));
    return answer(200, this.put(path, merge(present, body) as KubeObject));
  }

  put(path: string, object: KubeObject): KubeObject {
    const old = this.objects.get(path);
    const { managedFields: _, ...metadata } = object.metadata;
    const stored = {
      ...object,
      metadata: { uid: randomUUID(), generation: 1, ...metadata, resourceVersion: String(++this.#revision) },
    };
    this.objects.set(path, stored);
    this.history.push({ path, object: stored });
    this.#tell(path, old ? "MODIFIED" : "ADDED", stored);
    return stored;
  }

  delete(path: string, grace: number): unknown {
    const object = this.objects.get(path);
    if (!object) return undefined;
    if (grace > 0) {
      return this.put(path, {
        ...object,
        metadata: {
          ...object.metadata,
          deletionTimestamp: new Date(Date.now() + grace * 1000).toISOString(),
          deletionGracePeriodSeconds: grace,
        },
      });
    }
    this.objects.delete(path);
    this.#revision += 1;
    this.#tell(path, "DELETED", object);
    return { kind: "Status", status: "Success" };
  }

  #create(path: string, body: KubeObject): HttpResponse {
    if (this.objects.has(path)) return failure(409, "AlreadyExists", `${path} already exists`);
    return answer(201, this.put(path, body));
  }

  #read(path: string, url: URL, signal: AbortSignal | undefined): HttpResponse {
    const object = this.objects.get(path);
    if (object) return answer(200, object);
    const selector = url.searchParams.get("fieldSelector");
    const matches = (one: KubeObject) => !selector || selected(one, selector);
    const name = path.split("/").at(-1) ?? "";
    // Of all namespaces: the kind's name stands in the middle of the paths.
    const within = (key: string) =>
      key.startsWith(`${path}/`) || (path.split("/").length === 4 && key.includes(`/${name}/`));
    if (url.searchParams.get("watch")) return this.#watch(within, matches, signal);
    if (!/^[a-z]+s$/.test(name)) return failure(404, "NotFound", `${path} not found`);
    const items = [...this.objects].filter(([key, one]) => within(key) && matches(one)).map(([, one]) => one);
    return answer(200, {
      kind: "List",
      apiVersion: "v1",
      metadata: { resourceVersion: String(this.#revision) },
      items,
    });
  }

  #watch(
    within: (key: string) => boolean,
    matches: (object: KubeObject) => boolean,
    signal: AbortSignal | undefined,
  ): HttpResponse {
    const watchers = this.#watchers;
    const queue: string[] = [];
    let wake = () => undefined as void;
    const watcher = {
      prefix: "",
      matches: (object: KubeObject) => matches(object) && within(this.#pathOf(object)),
      push: (event: string) => (queue.push(event), wake()),
    };
    watchers.add(watcher);
    signal?.addEventListener("abort", () => wake());
    async function* body() {
      try {
        for (;;) {
          if (signal?.aborted) throw signal.reason;
          while (queue.length > 0) yield queue.shift() ?? "";
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        watchers.delete(watcher);
      }
    }
    return { status: 200, headers: { "content-type": "application/json" }, body: body() };
  }

  #pathOf(object: KubeObject): string {
    return [...this.objects].find(([, one]) => one.metadata.uid === object.metadata.uid)?.[0] ?? this.#gone;
  }

  #gone = "";

  #tell(path: string, type: string, object: KubeObject): void {
    this.#gone = path;
    for (const watcher of this.#watchers)
      if (watcher.matches(object)) watcher.push(`${JSON.stringify({ type, object })}\n`);
  }
}

function selected(object: KubeObject, selector: string): boolean {
  return selector.split(",").every((term) => {
    const [path = "", value] = term.split("=");
    const found = path
      .split(".")
      .reduce<unknown>((at, field) => (at as Record<string, unknown> | undefined)?.[field], object);
    return found === value;
  });
}

function merge(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

function answer(status: number, body: unknown): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function failure(code: number, reason: string, message: string): HttpResponse {
  return answer(code, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason, message, code });
}
