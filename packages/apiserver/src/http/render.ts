import { goJson, type HttpResponse, type KubeObject } from "@dhow/kube";
import type { Page } from "../registry/list.ts";
import type { ObjectAnswer } from "../registry/registry.ts";
import { itemText, type Resource, served } from "../registry/resource.ts";
import type { Negotiated } from "./negotiation.ts";

/** How objects become rows; columns come from the resource. */
export interface TableMaker {
  /** JSON of a Table, as text without its closing brace for more fields to be added. */
  table(resource: Resource, objects: readonly KubeObject[], options: TableOptions): Record<string, unknown>;
}

export interface TableOptions {
  readonly includeObject: Negotiated["includeObject"];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly columns: boolean;
}

export interface Renderer {
  readonly tables: TableMaker;
  readonly yaml: (value: unknown) => string;
}

export function renderObject(
  renderer: Renderer,
  resource: Resource | undefined,
  answer: ObjectAnswer,
  how: Negotiated,
): HttpResponse {
  const { object, status } = answer;
  if (resource && how.as !== "object" && object.kind !== "Status") {
    return render(renderer, status, transform(renderer, resource, object, how), how);
  }
  if (how.format === "json" && !how.pretty) {
    // An object whose text is known is the stored one, which is frozen.
    return answer.text === undefined ? json(status, goJson(object)) : { ...json(status, answer.text), value: object };
  }
  return render(renderer, status, object, how);
}

function transform(renderer: Renderer, resource: Resource, object: KubeObject, how: Negotiated): unknown {
  if (how.as === "metadata") return partial(object);
  const { resourceVersion } = object.metadata;
  return renderer.tables.table(resource, [object], {
    includeObject: how.includeObject,
    metadata: { resourceVersion },
    columns: true,
  });
}

/** meta/v1 PartialObjectMetadata. */
export function partial(object: KubeObject): Record<string, unknown> {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

export function renderList(renderer: Renderer, resource: Resource, page: Page, how: Negotiated): HttpResponse {
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue ? { continue: page.continue } : {}),
    ...(page.remaining ? { remainingItemCount: page.remaining } : {}),
  };
  if (how.as === "table") {
    const objects = page.items.map((stored) => served(resource, stored));
    const options = { includeObject: how.includeObject, metadata, columns: true };
    return render(renderer, 200, renderer.tables.table(resource, objects, options), how);
  }
  if (how.as === "metadata") {
    const items = page.items.map((stored) => partial(served(resource, stored)));
    const list = { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata, items };
    return render(renderer, 200, list, how);
  }
  const head = { kind: `${resource.info.kind}List`, apiVersion: resource.apiVersion, metadata };
  const items = page.items.map((stored) => itemText(resource, stored));
  const text = `${goJson(head).slice(0, -1)},"items":[${items.join(",")}]}`;
  return how.format === "json" && !how.pretty ? json(200, text) : render(renderer, 200, JSON.parse(text), how);
}

export function render(renderer: Renderer, status: number, value: unknown, how: Negotiated): HttpResponse {
  if (how.format === "yaml") {
    return { status, headers: { "content-type": "application/yaml" }, body: renderer.yaml(value) };
  }
  return json(status, goJson(value, how.pretty ? 2 : undefined));
}

export function json(status: number, body: string): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body };
}
