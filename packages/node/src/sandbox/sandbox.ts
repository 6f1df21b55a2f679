import type { Duplex, Readable, Writable } from "node:stream";

/** What this machine lets a sandbox keep. Said by `describe node` and, where something is missing, by `dhow up` in one line. */
export interface SandboxCapabilities {
  readonly isolation: "namespaces" | "processes";
  /** Whether the kernel refuses what a NetworkPolicy does not allow. */
  readonly networkPolicy: boolean;
  readonly runAsUser: boolean;
  readonly readOnlyRoot: boolean;
  /** `cgroup`: the kernel holds the limit. `watched`: resident memory is measured and what goes over is killed. */
  readonly memoryLimit: "cgroup" | "watched";
  readonly cpuLimit: boolean;
  /** Why something above is less than it could be, and what would change it. */
  readonly notes: readonly string[];
}

/** One implementation with Linux namespaces, one with plain processes; `conformance/network` holds both to one table. */
export interface Sandbox {
  readonly capabilities: SandboxCapabilities;
  createPod(config: PodConfig): Promise<PodSandbox>;
  /** Ends every pod and gives everything back. */
  close(): Promise<void>;
}

export interface PodConfig {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly nodeName: string;
  readonly hostname: string;
  /** The name under which the pod's headless service knows it, where it has a subdomain. */
  readonly fullName?: string | undefined;
  /** The content of /etc/resolv.conf. */
  readonly resolvConf: string;
  /** Further lines of /etc/hosts, after the pod's own. */
  readonly hosts: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  /** Namespaced kernel settings of the pod's securityContext, such as net.ipv4.ip_unprivileged_port_start. */
  readonly sysctls: Readonly<Record<string, string>>;
}

export interface PodSandbox {
  /** The pod's own IPv4 address. */
  readonly address: string;
  start(config: ContainerConfig): Promise<ContainerProcess>;
  /** A connection to the pod's own loopback, as `kubectl port-forward` makes it. */
  connect(port: number): Promise<Duplex>;
  /** Kills what still runs and gives the address back. */
  remove(): Promise<void>;
}

/** A folder or file of the host, seen in the container at `target`. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** `device:inode` of what is to be mounted, where others can write to the folders above it: nothing else is. */
  readonly inode?: string;
}

export interface ContainerConfig {
  /** Unique among all containers that ever run on this agent. */
  readonly id: string;
  /**
   * What the root is made of: `host` lays the host's read-only /usr, /lib, /bin, /etc under the mounts; a list of folders is an
   * image's layers, lowest first.
   */
  readonly root: "host" | readonly string[];
  readonly mounts: readonly Mount[];
  /** Fresh memory-backed folders, /tmp and /dev/shm aside, which every container has. */
  readonly memoryMounts: readonly { readonly target: string; readonly sizeBytes?: number }[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user: number;
  readonly group: number;
  readonly supplementalGroups: readonly number[];
  readonly readOnlyRoot: boolean;
  /** Names such as NET_BIND_SERVICE; everything else is dropped. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly limits: { readonly memoryBytes?: number; readonly cpuMillis?: number };
  readonly tty: boolean;
  readonly stdin: boolean;
}

export interface ContainerExit {
  /** 128 + the number of the signal where one ended it. */
  readonly exitCode: number;
  readonly signal?: NodeJS.Signals;
  readonly oomKilled: boolean;
}

export interface Streams {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a terminal, where both arrive on stdout. */
  readonly stderr: Readable | undefined;
}

export interface ContainerProcess extends Streams {
  /** The program's process id as the agent sees it. */
  readonly pid: number;
  readonly exited: Promise<ContainerExit>;
  /** Sends a signal to the container's first process; false where it has no handler, and so does not hear it. SIGKILL ends all of its processes. */
  kill(signal: NodeJS.Signals): boolean;
  /** A further program in the same container. */
  exec(config: ExecConfig): Promise<ExecProcess>;
  usage(): Promise<ContainerUsage>;
}

export interface ExecConfig {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly tty: boolean;
  readonly stdin: boolean;
}

export interface ExecProcess extends Streams {
  readonly exited: Promise<ContainerExit>;
  kill(signal: NodeJS.Signals): void;
  resize(size: { readonly width: number; readonly height: number }): void;
}

export interface ContainerUsage {
  /** Processor time since the container started. */
  readonly cpuNanoseconds: number;
  /** Memory that cannot be given back, what limits and autoscaling look at. */
  readonly workingSetBytes: number;
}
