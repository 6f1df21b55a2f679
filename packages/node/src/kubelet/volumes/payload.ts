import type { ConfigMap, KeyToPath, Secret } from "@dhow/kube";
import type { PayloadFile } from "./atomic-writer.ts";

export const defaultFileMode = 0o644;

interface Selection {
  readonly items?: readonly KeyToPath[];
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

/** What of a ConfigMap goes into a volume: all of it, or the named keys at their paths. */
export function configMapFiles(map: ConfigMap, selection: Selection): Map<string, PayloadFile> {
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(map.data ?? {})) data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(map.binaryData ?? {})) data.set(key, Buffer.from(value, "base64"));
  return select(data, selection);
}

export function secretFiles(secret: Secret, selection: Selection): Map<string, PayloadFile> {
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(secret.data ?? {})) data.set(key, Buffer.from(value, "base64"));
  return select(data, selection);
}

function select(data: ReadonlyMap<string, Uint8Array>, selection: Selection): Map<string, PayloadFile> {
  const mode = selection.defaultMode ?? defaultFileMode;
  const files = new Map<string, PayloadFile>();
  if (!selection.items) {
    for (const [key, bytes] of data) files.set(key, { data: bytes, mode });
    return files;
  }
  for (const item of selection.items) {
    const bytes = data.get(item.key);
    if (bytes) files.set(item.path, { data: bytes, mode: item.mode ?? mode });
    else if (!selection.optional) throw new Error(`references non-existent config key: ${item.key}`);
  }
  return files;
}
