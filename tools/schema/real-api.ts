// Asks a real API server for its own description of itself.
import { execFileSync } from "node:child_process";
import { realKubernetes, temporaryFolder } from "@dhow/testkit";

/** Part of a JSON Schema as Kubernetes publishes it. */
export interface PublishedSchema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly allOf?: readonly PublishedSchema[];
  readonly items?: PublishedSchema;
  readonly additionalProperties?: PublishedSchema;
  readonly properties?: Readonly<Record<string, PublishedSchema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-patch-strategy"?: string;
}

interface PublishedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface PublishedResource {
  readonly resource: string;
  readonly responseKind: PublishedKind;
  readonly scope: string;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly {
    readonly subresource: string;
    readonly responseKind?: PublishedKind;
    readonly verbs: readonly string[];
  }[];
}

export interface PublishedGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly { readonly version: string; readonly resources: readonly PublishedResource[] }[];
}

export interface PublishedApi {
  /** Such as `1.36.3`; other makers' servers add something after it. */
  readonly version: string;
  readonly schemas: Map<string, PublishedSchema>;
  readonly groups: readonly PublishedGroup[];
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

type Ask = (path: string, accept?: string) => Promise<unknown>;

async function read(ask: Ask): Promise<PublishedApi> {
  const { gitVersion } = (await ask("/version")) as { gitVersion: string };
  const index = (await ask("/openapi/v3")) as { paths: Record<string, { serverRelativeURL: string }> };
  const schemas = new Map<string, PublishedSchema>();
  for (const [path, { serverRelativeURL }] of Object.entries(index.paths)) {
    if (!/^apis?\/.*v\d/.test(path)) continue;
    const document = (await ask(serverRelativeURL)) as { components?: { schemas?: Record<string, PublishedSchema> } };
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
      if (name.startsWith("io.k8s.")) schemas.set(name, schema);
    }
  }
  const kinds = new Set(
    [...schemas.values()]
      .flatMap((schema) => schema["x-kubernetes-group-version-kind"] ?? [])
      .map((one) => `${one.group}/${one.version}`),
  );
  const lists = [await ask("/api", aggregated), await ask("/apis", aggregated)] as { items: PublishedGroup[] }[];
  const groups = lists
    .flatMap((list) => list.items)
    .map((group) => ({
      ...group,
      // Custom resources of whoever uses that cluster are none of ours.
      versions: group.versions.filter((one) => kinds.has(`${group.metadata.name ?? ""}/${one.version}`)),
    }))
    .filter((group) => group.versions.length > 0);
  return { version: gitVersion.replace(/^v/, ""), schemas, groups };
}

/** `kubectl proxy` speaks every way of signing in that a kubeconfig may name, and passes the Accept header on. */
async function throughProxy(kubeconfig: string): Promise<PublishedApi> {
  const { spawn } = await import("node:child_process");
  const proxy = spawn("kubectl", ["--kubeconfig", kubeconfig, "proxy", "--port=0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const address = await new Promise<string>((resolve, reject) => {
      proxy.once("error", reject);
      proxy.stdout.once("data", (chunk: Buffer) => resolve(/127\.0\.0\.1:\d+/.exec(chunk.toString())?.[0] ?? ""));
    });
    return await read(async (path, accept = "application/json") => {
      const response = await fetch(`http://${address}${path}`, { headers: { accept } });
      if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
      return response.json();
    });
  } finally {
    proxy.kill();
  }
}

/** The control plane takes this port and the next four; there is nobody to ask for five in a row. */
function freePorts(): number {
  return 20_000 + 10 * Math.floor(Math.random() * 1000);
}

/**
 * What the API server publishes: that of KUBECONFIG, else one started for the purpose. Undefined with the reason where there is none.
 */
export async function readRealApi(): Promise<{ api: PublishedApi } | { api: undefined; skip: string }> {
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig) return { api: await throughProxy(kubeconfig) };
  const real = realKubernetes();
  if (real.skip !== false) return { api: undefined, skip: real.skip };
  using folder = temporaryFolder();
  const printed = execFileSync(`${real.folder}/up`, [folder.path, "--port", String(freePorts())], { encoding: "utf8" });
  try {
    return { api: await throughProxy(/\S+kubeconfig\S*/.exec(printed)?.[0] ?? `${folder.path}/admin.kubeconfig`) };
  } finally {
    execFileSync(`${real.folder}/down`, [folder.path, "--forget"]);
  }
}
