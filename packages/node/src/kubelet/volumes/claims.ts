import type { KubeClient, PersistentVolume, PersistentVolumeClaim } from "@dhow/kube";
import { mkdirSync } from "node:fs";
import { join, normalize, relative } from "node:path";
import { requireWithin } from "../../sandbox/within.ts";
import { makePassage } from "./passage.ts";

/** The folder of the host that a claim stands for: a `hostPath` or `local` volume names a path under the agent's folder of volumes. */
export async function claimedFolder(
  client: KubeClient,
  namespace: string,
  name: string,
  volumesFolder: string,
): Promise<{ path: string; readOnly: boolean }> {
  const core = { apiVersion: "v1", namespace };
  const claim = await client.find<PersistentVolumeClaim>({ ...core, kind: "PersistentVolumeClaim", name });
  if (!claim) throw new Error(`persistentvolumeclaim "${name}" not found`);
  const volumeName = claim.spec?.volumeName;
  if (claim.status?.phase !== "Bound" || !volumeName) throw new Error(`PVC ${namespace}/${name} is not bound`);
  const volume = await client.get<PersistentVolume>({ apiVersion: "v1", kind: "PersistentVolume", name: volumeName });
  const named = volume.spec?.hostPath?.path ?? volume.spec?.local?.path;
  if (!named)
    throw new Error(
      `PersistentVolume ${volumeName} is of a kind that this node cannot mount; it mounts hostPath and local volumes`,
    );
  const path = inside(volumesFolder, named);
  makePassage(volumesFolder);
  requireWithin(volumesFolder, path);
  mkdirSync(path, { recursive: true, mode: 0o777 });
  return { path, readOnly: (claim.spec?.accessModes ?? []).every((mode) => mode === "ReadOnlyMany") };
}

/** A path under `folder`, whatever the name tries: absolute paths that lie in the folder stay, all others begin there. */
export function inside(folder: string, named: string): string {
  const way = relative(folder, named);
  if (way && !way.startsWith("..") && named.startsWith("/")) return named;
  return join(folder, normalize(`/${named}`));
}
