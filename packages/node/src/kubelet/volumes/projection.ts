import type { Pod, Volume, VolumeProjection } from "@dhow/kube";
import { fieldValue, type PodFacts, resourceValue } from "../environment/field-path.ts";
import type { ObjectReader } from "../environment/environment.ts";
import type { PayloadFile } from "./atomic-writer.ts";
import { configMapFiles, defaultFileMode, secretFiles } from "./payload.ts";

export interface TokenSource {
  /** A token of the pod's service account that is valid for a while yet. */
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string>;
}

export interface ProjectionInput {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly objects: ObjectReader;
  readonly tokens: TokenSource;
}

/** An object that a volume's content comes from. */
export interface ContentSource {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
}

/** The projections that a volume consists of: configMap, secret and downwardAPI volumes are projections of one source. */
export function projectionsOf(volume: Volume): { sources: VolumeProjection[]; defaultMode: number } | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return { sources: [{ configMap }], defaultMode: configMap.defaultMode ?? defaultFileMode };
  if (secret) {
    const { secretName, items, optional, defaultMode } = secret;
    const one = {
      ...(secretName ? { name: secretName } : {}),
      ...(items ? { items } : {}),
      ...(optional ? { optional } : {}),
    };
    return { sources: [{ secret: one }], defaultMode: defaultMode ?? defaultFileMode };
  }
  if (downwardAPI) {
    const { items = [], defaultMode } = downwardAPI;
    return { sources: [{ downwardAPI: { items } }], defaultMode: defaultMode ?? defaultFileMode };
  }
  if (projected) return { sources: projected.sources ?? [], defaultMode: projected.defaultMode ?? defaultFileMode };
  return undefined;
}

export function contentSources(sources: readonly VolumeProjection[]): ContentSource[] {
  return sources.flatMap(({ configMap, secret }): ContentSource[] => {
    if (configMap) return [{ kind: "ConfigMap", name: configMap.name ?? "" }];
    return secret ? [{ kind: "Secret", name: secret.name ?? "" }] : [];
  });
}

/** The files of a volume now. */
export async function projectedFiles(
  sources: readonly VolumeProjection[],
  defaultMode: number,
  input: ProjectionInput,
): Promise<Map<string, PayloadFile>> {
  const files = new Map<string, PayloadFile>();
  for (const source of sources) {
    for (const [path, file] of await filesOf(source, defaultMode, input)) files.set(path, file);
  }
  return files;
}

async function filesOf(
  source: VolumeProjection,
  defaultMode: number,
  { pod, facts, objects, tokens }: ProjectionInput,
): Promise<Map<string, PayloadFile>> {
  const namespace = pod.metadata.namespace ?? "";
  if (source.configMap) {
    const { name = "", optional } = source.configMap;
    const map = await objects.configMap(namespace, name);
    if (!map && !optional) throw new Error(`configmap "${name}" not found`);
    return map ? configMapFiles(map, { ...source.configMap, defaultMode }) : new Map();
  }
  if (source.secret) {
    const { name = "", optional } = source.secret;
    const secret = await objects.secret(namespace, name);
    if (!secret && !optional) throw new Error(`secret "${name}" not found`);
    return secret ? secretFiles(secret, { ...source.secret, defaultMode }) : new Map();
  }
  if (source.serviceAccountToken) {
    const { path, audience, expirationSeconds } = source.serviceAccountToken;
    const token = await tokens.token(pod, audience, expirationSeconds ?? 3600);
    return new Map([[path, { data: Buffer.from(token), mode: defaultMode }]]);
  }
  const files = new Map<string, PayloadFile>();
  for (const item of source.downwardAPI?.items ?? []) {
    files.set(item.path, { data: Buffer.from(downwardValue(pod, facts, item)), mode: item.mode ?? defaultMode });
  }
  return files;
}

function downwardValue(
  pod: Pod,
  facts: PodFacts,
  item: {
    readonly fieldRef?: { fieldPath: string };
    readonly resourceFieldRef?: { containerName?: string; resource: string; divisor?: string };
  },
): string {
  if (item.fieldRef) return fieldValue(pod, item.fieldRef.fieldPath, facts);
  const reference = item.resourceFieldRef;
  const container = pod.spec.containers.find(({ name }) => name === reference?.containerName);
  if (!reference || !container) throw new Error(`container ${reference?.containerName} not found`);
  return resourceValue(container, reference.resource, reference.divisor, facts);
}
