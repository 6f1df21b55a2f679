import type { Mount } from "../sandbox/sandbox.ts";

/**
 * What the node starts for an image reference: the part of an OCI image's configuration that a kubelet needs, and where the files are.
 */
export interface RunnableImage {
  /** See `ContainerConfig.root`. */
  readonly root: "host" | readonly string[];
  /** Read-only files that belong to the image: the source folder, the Node binary, a database's programs. */
  readonly mounts: readonly Mount[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** The image's own user, used where the pod names none. */
  readonly user: number;
  readonly group: number;
  /** What tells its program to end; SIGTERM where it says nothing (STOPSIGNAL, `StopSignal` of an OCI image's configuration). */
  readonly stopSignal?: NodeJS.Signals;
  /** A digest, `sha256:…`, of what would run now: shown as imageID, and changed when the source changed. */
  readonly digest: string;
}

/** The node's own table from image reference to what it starts. */
export interface ImageRuntime {
  /** Throws a DhowError that says what to install or write where there is nothing for the reference. */
  resolve(reference: string): Promise<RunnableImage>;
  /** References that were resolved so far, for the node's status. */
  known(): readonly string[];
  /** Calls back when what references stand for may have changed; the returned function ends that. */
  onChange(callback: () => void): () => void;
  close(): void;
}
