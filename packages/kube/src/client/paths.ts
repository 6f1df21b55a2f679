/** Names an object, or all objects of a kind (in a namespace) where the name is left out. Any object's `{ apiVersion, kind }` with its metadata's names will do. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Where the API serves a kind. */
export interface ResourcePath {
  readonly apiVersion: string;
  /** The plural in paths: `deployments`. */
  readonly resource: string;
  readonly namespaced: boolean;
}

/** `/api/v1`, `/apis/apps/v1`. */
export function versionPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The path of an object, or of a collection where there is no name; without a namespace a namespaced collection is that of all namespaces. */
export function resourcePath(at: ResourcePath, namespace?: string, name?: string, subresource?: string): string {
  let path = versionPath(at.apiVersion);
  if (at.namespaced && namespace) path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${at.resource}`;
  if (name) path += `/${encodeURIComponent(name)}`;
  if (subresource) path += `/${subresource}`;
  return path;
}

export type QueryValue = string | number | boolean | readonly string[] | undefined;

/** `?a=1&b=2` of what is defined, or nothing. */
export function queryString(query: Readonly<Record<string, QueryValue>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value])
      parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return text && `?${text}`;
}
