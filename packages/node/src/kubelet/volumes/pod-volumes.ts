import { type Clock, messageOf, type Reporter } from "@dhow/base";
import { type KubeClient, type Pod, Quantity, type Volume } from "@dhow/kube";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PodFacts } from "../environment/field-path.ts";
import type { ObjectSource } from "../object-source.ts";
import { writeAtomically } from "./atomic-writer.ts";
import { claimedFolder } from "./claims.ts";
import { requireWithin } from "../../sandbox/within.ts";
import { giveToGroup } from "./ownership.ts";
import { contentSources, projectedFiles, projectionsOf } from "./projection.ts";
import type { TokenManager } from "./tokens.ts";

export interface PodVolumesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly objects: ObjectSource;
  readonly tokens: TokenManager;
  /** The pod's own folder. */
  readonly folder: string;
  /** Where PersistentVolumes lie. */
  readonly volumesFolder: string;
  /** Folders of the host that a hostPath volume may name, or lie under. */
  readonly hostPaths: readonly string[];
}

export interface MountedVolume {
  readonly path: string;
  readonly readOnly: boolean;
}

/** A volume that could not be set up; the message is that of the kubelet's FailedMount event. */
export class VolumeError extends Error {}

/** How often projected tokens are looked at; they are renewed only when they are due. */
const tokenInterval = 100_000;

/** The volumes of one pod: made before its containers start, kept up to date while they run. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #mounted = new Map<string, MountedVolume>();
  readonly #ends: (() => void)[] = [];
  readonly #memory: string[] = [];
  #pod: Pod;
  #closed = false;

  constructor(pod: Pod, options: PodVolumesOptions) {
    this.#pod = pod;
    this.#options = options;
  }

  get mounted(): ReadonlyMap<string, MountedVolume> {
    return this.#mounted;
  }

  /** Sets up what is not yet there. Throws a VolumeError for the first that cannot be. */
  async setUp(facts: PodFacts): Promise<void> {
    await Promise.all(
      (this.#pod.spec.volumes ?? []).map(async (volume) => {
        if (this.#mounted.has(volume.name)) return;
        try {
          this.#mounted.set(volume.name, await this.#mount(volume, facts));
        } catch (error) {
          throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`);
        }
      }),
    );
  }

  /** The pod's labels and annotations may have changed, which downward API volumes show. */
  update(pod: Pod, facts: PodFacts): void {
    this.#pod = pod;
    for (const volume of pod.spec.volumes ?? []) {
      const projections = projectionsOf(volume);
      if (projections?.sources.some(({ downwardAPI }) => downwardAPI) && this.#mounted.has(volume.name)) {
        this.#refresh(volume, facts);
      }
    }
  }

  /** Ends the upkeep; the files stay until `remove`. */
  close(): void {
    this.#closed = true;
    for (const end of this.#ends.splice(0)) end();
  }

  remove(): void {
    this.close();
    for (const path of this.#memory) spawnSync("umount", ["--lazy", path]);
    rmSync(join(this.#options.folder, "volumes"), { recursive: true, force: true });
  }

  async #mount(volume: Volume, facts: PodFacts): Promise<MountedVolume> {
    const path = join(this.#options.folder, "volumes", volume.name);
    const namespace = this.#pod.metadata.namespace ?? "";
    const group = this.#pod.spec.securityContext?.fsGroup;
    if (projectionsOf(volume)) {
      await this.#write(volume, path, facts);
      this.#keepUp(volume, facts);
      return { path, readOnly: true };
    }
    if (volume.emptyDir) {
      this.#makeEmpty(volume, path);
      giveToGroup(path, group, false);
      return { path, readOnly: false };
    }
    if (volume.hostPath)
      return { path: this.#hostPath(volume.hostPath.path, volume.hostPath.type ?? ""), readOnly: false };
    const claim = volume.ephemeral
      ? `${this.#pod.metadata.name}-${volume.name}`
      : volume.persistentVolumeClaim?.claimName;
    if (!claim) throw new Error("this kind of volume is not known to this node");
    const { client, volumesFolder } = this.#options;
    const found = await claimedFolder(client, namespace, claim, volumesFolder);
    const readOnly = found.readOnly || (volume.persistentVolumeClaim?.readOnly ?? false);
    if (!readOnly) giveToGroup(found.path, group, false);
    return { path: found.path, readOnly };
  }

  #makeEmpty(volume: Volume, path: string): void {
    if (existsSync(path)) return;
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o777);
    if (volume.emptyDir?.medium !== "Memory") return;
    const size = volume.emptyDir.sizeLimit ? `,size=${Quantity.parse(volume.emptyDir.sizeLimit).value()}` : "";
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `mode=0777${size}`, "tmpfs", path]);
    // Without the right to mount it lies on the disk, which a pod does not notice.
    if (mounted.status === 0) this.#memory.push(path);
  }

  #hostPath(path: string, type: string): string {
    const allowed = this.#options.hostPaths.find(
      (root) => path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`),
    );
    if (allowed !== undefined && existsSync(allowed)) requireWithin(allowed, path);
    if (allowed === undefined || path.split("/").includes(".."))
      throw new Error(`hostPath ${path} is not among the folders that this node gives to pods`);
    if (type === "DirectoryOrCreate") mkdirSync(path, { recursive: true, mode: 0o755 });
    if (type === "FileOrCreate" && !existsSync(path)) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "");
    }
    const status = statSync(path, { throwIfNoEntry: false });
    if (!status && type !== "") throw new Error(`hostPath type check failed: ${path} is not a ${type.toLowerCase()}`);
    if (!status) mkdirSync(path, { recursive: true });
    if (type === "Directory" && !status?.isDirectory())
      throw new Error(`hostPath type check failed: ${path} is not a directory`);
    if (type === "File" && !status?.isFile()) throw new Error(`hostPath type check failed: ${path} is not a file`);
    return path;
  }

  async #write(volume: Volume, path: string, facts: PodFacts): Promise<void> {
    const projections = projectionsOf(volume);
    if (!projections) return;
    const { objects, tokens } = this.#options;
    const input = { pod: this.#pod, facts, objects, tokens };
    const files = await projectedFiles(projections.sources, projections.defaultMode, input);
    if (this.#closed) return;
    const group = this.#pod.spec.securityContext?.fsGroup;
    writeAtomically(path, files, (folder) => giveToGroup(folder, group, true));
  }

  #keepUp(volume: Volume, facts: PodFacts): void {
    const sources = projectionsOf(volume)?.sources ?? [];
    const namespace = this.#pod.metadata.namespace ?? "";
    for (const { kind, name } of contentSources(sources)) {
      this.#ends.push(this.#options.objects.watch(kind, namespace, name, () => this.#refresh(volume, facts)));
    }
    if (!sources.some(({ serviceAccountToken }) => serviceAccountToken)) return;
    let cancel = () => undefined as void;
    const wait = () => {
      cancel = this.#options.clock.after(tokenInterval, () => {
        this.#refresh(volume, facts);
        wait();
      });
    };
    wait();
    this.#ends.push(() => cancel());
  }

  /** A source that is gone leaves the files as they were, as on a real node. */
  #refresh(volume: Volume, facts: PodFacts): void {
    const mounted = this.#mounted.get(volume.name);
    if (this.#closed || !mounted) return;
    this.#write(volume, mounted.path, facts).catch((error: unknown) => {
      this.#options.reporter.report({
        kind: "volume.stale",
        level: "debug",
        subject: `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`,
        message: `${volume.name}: ${messageOf(error)}`,
      });
    });
  }
}
