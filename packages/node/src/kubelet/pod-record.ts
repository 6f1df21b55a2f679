import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, type Reporter } from "@dhow/base";

/** One run of a container. */
export interface ContainerInstance {
  /** 64 hex digits, without the runtime's prefix. */
  readonly id: string;
  readonly name: string;
  /** How many instances of this container were before it in the pod. */
  readonly attempt: number;
  /** How many of those were replaced because their source was edited: no restarts to whoever counts them. */
  readonly replacements?: number;
  /** In which of the pod's sandboxes it ran: what an earlier one initialized does not count in the next. */
  readonly sandbox: number;
  readonly image: string;
  readonly imageID: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
  state: "created" | "running" | "exited";
  /** Milliseconds since 1970. */
  startedAt?: number;
  finishedAt?: number;
  exitCode?: number;
  /** Completed, Error, OOMKilled, StartError … */
  reason?: string;
  message?: string;
  /** It was ended because its source was edited, not because something was wrong with it. */
  replaced?: true;
}

/** What the node remembers of a pod: enough to go on after a restart of the agent, and to repeat nothing that has ended. */
export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** When the kubelet first saw the pod. */
  readonly startTime: number;
  /** How many sandboxes the pod had before this one. */
  sandbox: number;
  /** Per container name, newest first; the one before the last is kept for its log and lastState. */
  readonly containers: Record<string, ContainerInstance[]>;
  /** Set once all init containers have ended: later restarts of sidecars do not take the pod back. */
  initialized?: boolean;
  /** Why the kubelet itself ended the pod, such as DeadlineExceeded. */
  ended?: { readonly reason: string; readonly message: string };
  /** All containers ended for good and the sandbox is gone. */
  finished?: boolean;
}

/** The newest instance of a container. */
export function latest(record: PodRecord, container: string): ContainerInstance | undefined {
  return record.containers[container]?.[0];
}

/** How often a container was started again because it had ended: what a status shows as restartCount. */
export function restartCount(instance: ContainerInstance | undefined): number {
  return (instance?.attempt ?? 0) - (instance?.replacements ?? 0);
}

/** How long it is waited before what could not be written is tried again (milliseconds). */
const retryInterval = 1000;

/**
 * The node's own small state: one JSON file a pod, replaced whole, so that a kill at any moment leaves the old or the new one. Where the disk is
 * full the old one stays until there is space again: what runs is not disturbed by it.
 */
export class PodRecords {
  readonly #folder: string;
  readonly #reporter: Reporter;
  readonly #unsaved = new Map<string, PodRecord>();

  constructor(folder: string, reporter: Reporter) {
    this.#folder = folder;
    this.#reporter = reporter;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  save(record: PodRecord): void {
    try {
      this.#write(record);
      this.#unsaved.delete(record.uid);
    } catch (error) {
      if (this.#unsaved.size === 0) this.#saveLater(messageOf(error));
      this.#unsaved.set(record.uid, record);
    }
  }

  remove(uid: string): void {
    this.#unsaved.delete(uid);
    rmSync(this.#file(uid), { force: true });
  }

  #write(record: PodRecord): void {
    const file = this.#file(record.uid);
    try {
      writeFileSync(`${file}.new`, JSON.stringify(record));
      renameSync(`${file}.new`, file);
    } catch (error) {
      rmSync(`${file}.new`, { force: true });
      throw error;
    }
  }

  #saveLater(message: string): void {
    this.#reporter.report({ kind: "node.record-not-saved", level: "error", subject: this.#folder, message });
    const timer = setInterval(() => {
      for (const record of this.#unsaved.values()) this.save(record);
      if (this.#unsaved.size === 0) clearInterval(timer);
    }, retryInterval).unref();
  }

  /** All that is remembered. An unreadable file is left out: its pod begins anew. */
  load(): Map<string, PodRecord> {
    const records = new Map<string, PodRecord>();
    for (const file of readdirSync(this.#folder)) {
      if (!file.endsWith(".json")) continue;
      try {
        const record = JSON.parse(readFileSync(join(this.#folder, file), "utf8")) as PodRecord;
        records.set(record.uid, record);
      } catch {
        rmSync(join(this.#folder, file), { force: true });
      }
    }
    return records;
  }

  #file(uid: string): string {
    return join(this.#folder, `${uid}.json`);
  }
}

/**
 * What ran when the agent ended has ended with it. A container runtime reports such containers with exit code 255 and the reason Unknown after its machine was restarted.
 */
export function interruptRunning(record: PodRecord, now: number): void {
  record.sandbox += 1;
  delete record.initialized;
  for (const instances of Object.values(record.containers)) {
    for (const instance of instances) {
      if (instance.state === "exited") continue;
      instance.state = "exited";
      instance.exitCode = 255;
      instance.reason = "Unknown";
      instance.startedAt ??= now;
      instance.finishedAt = now;
    }
  }
}
