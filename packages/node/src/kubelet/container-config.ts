import { type Container, type Pod, Quantity } from "@dhow/kube";
import { mkdirSync, realpathSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { RunnableImage } from "../images/images.ts";
import type { ContainerConfig, Mount } from "../sandbox/sandbox.ts";
import { inodeWithin, requireWithin } from "../sandbox/within.ts";
import { ContainerConfigError } from "./environment/environment.ts";
import { expand } from "./environment/expansion.ts";
import { podLabel } from "./status/format.ts";
import type { MountedVolume } from "./volumes/pod-volumes.ts";

interface ContainerConfigInput {
  readonly id: string;
  readonly pod: Pod;
  readonly container: Container;
  readonly image: RunnableImage;
  /** What the pod gives the container; the image's own comes under it. */
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** The host's file that the container's termination message goes to. */
  readonly terminationLog: string;
}

/** What a container runtime gives a root user by default (containerd's and Docker's list). */
const defaultCapabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
];

/** What the sandbox starts for a container of a pod. Throws a ContainerConfigError where the pod asks for what cannot be. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { id, pod, container, image } = input;
  const env = { ...image.env, ...input.env };
  const { user, group, supplementalGroups } = identity(pod, container, image);
  const limits = container.resources?.limits ?? {};
  return {
    id,
    root: image.root,
    mounts: [...image.mounts, ...volumeMounts(input, env), terminationMount(input)],
    memoryMounts: [],
    argv: argv(container, image, env),
    env: { HOSTNAME: (pod.spec.hostname || pod.metadata.name || "").slice(0, 63), ...env },
    workingDirectory: container.workingDir || image.workingDirectory || "/",
    user,
    group,
    supplementalGroups,
    readOnlyRoot: container.securityContext?.readOnlyRootFilesystem ?? false,
    capabilities: capabilities(container, user),
    noNewPrivileges: container.securityContext?.allowPrivilegeEscalation === false,
    limits: {
      ...(limits["memory"] ? { memoryBytes: Quantity.parse(limits["memory"]).value() } : {}),
      ...(limits["cpu"] ? { cpuMillis: Quantity.parse(limits["cpu"]).milliValue() } : {}),
    },
    tty: container.tty ?? false,
    stdin: container.stdin ?? false,
  };
}

/** `command` replaces the entrypoint and the image's command; `args` alone replaces the latter. Both know the variables as `$(NAME)`. */
function argv(container: Container, image: RunnableImage, env: Readonly<Record<string, string>>): string[] {
  const lookup = (name: string) => env[name];
  const expanded = (words: readonly string[] | undefined) => (words ?? []).map((word) => expand(word, lookup));
  const command = expanded(container.command);
  const args = expanded(container.args);
  const words =
    command.length > 0 ? [...command, ...args] : [...image.entrypoint, ...(args.length > 0 ? args : image.command)];
  if (words.length === 0) throw new ContainerConfigError("no command specified");
  return words;
}

export function identity(pod: Pod, container: Container, image: RunnableImage) {
  const of = pod.spec.securityContext;
  const own = container.securityContext;
  const asked = own?.runAsUser ?? of?.runAsUser;
  const user = asked ?? image.user;
  const group = own?.runAsGroup ?? of?.runAsGroup ?? image.group;
  if ((own?.runAsNonRoot ?? of?.runAsNonRoot) && user === 0) {
    const about = `(pod: "${podLabel(pod)}", container: ${container.name})`;
    throw new ContainerConfigError(
      asked === undefined
        ? `container has runAsNonRoot and image will run as root ${about}`
        : `container's runAsUser breaks non-root policy ${about}`,
    );
  }
  const more = [...(of?.fsGroup === undefined ? [] : [of.fsGroup]), ...(of?.supplementalGroups ?? [])];
  return { user, group, supplementalGroups: [...new Set([group, ...more])] };
}

function capabilities(container: Container, user: number): string[] {
  const { add = [], drop = [] } = container.securityContext?.capabilities ?? {};
  const plain = (name: string) => name.toUpperCase().replace(/^CAP_/, "");
  const dropped = new Set(drop.map(plain));
  // A program that is not root has none by default: containers get no ambient capabilities.
  const base = user === 0 && !dropped.has("ALL") ? defaultCapabilities : [];
  return [...new Set([...base.filter((name) => !dropped.has(name)), ...add.map(plain)])];
}

function volumeMounts({ container, volumes }: ContainerConfigInput, env: Readonly<Record<string, string>>): Mount[] {
  const mounts = (container.volumeMounts ?? []).map((mount): Mount => {
    const volume = volumes.get(mount.name);
    if (!volume)
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const readOnly = volume.readOnly || (mount.readOnly ?? false);
    const within = mount.subPathExpr ? expand(mount.subPathExpr, (name) => env[name]) : (mount.subPath ?? "");
    if (!within) return { source: volume.path, target: mount.mountPath, readOnly };
    return { ...subPath(volume, within), target: mount.mountPath, readOnly };
  });
  // A mount below another comes after it.
  return mounts.sort((a, b) => (a.target < b.target ? -1 : 1));
}

/** A path within a volume, which is made where it is missing; symbolic links do not lead out of the volume. */
function subPath(volume: MountedVolume, within: string): Pick<Mount, "source" | "inode"> {
  const path = resolve(volume.path, within);
  if (path !== volume.path && !path.startsWith(volume.path + sep)) {
    throw new ContainerConfigError(`subPath "${within}" is not within the volume path "${volume.path}"`);
  }
  try {
    requireWithin(volume.path, path);
  } catch {
    throw new ContainerConfigError(`subPath "${within}" leads out of the volume`);
  }
  if (!statSync(path, { throwIfNoEntry: false })) {
    if (volume.readOnly)
      throw new ContainerConfigError(`failed to prepare subPath for volumeMount: "${within}" does not exist`);
    mkdirSync(path, { recursive: true, mode: 0o777 });
  }
  try {
    const source = realpathSync(path);
    return { source, inode: inodeWithin(volume.path, source) };
  } catch {
    throw new ContainerConfigError(`subPath "${within}" leads out of the volume`);
  }
}

function terminationMount({ container, terminationLog }: ContainerConfigInput): Mount {
  const target = container.terminationMessagePath || "/dev/termination-log";
  return { source: terminationLog, target: join("/", target), readOnly: false };
}
