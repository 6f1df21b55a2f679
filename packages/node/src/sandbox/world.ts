import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { messageOf } from "@dhow/base";
import { missingPrograms, run, toolPath } from "./programs.ts";

/** What has to be done in a fresh world before anything else works there; then the program runs, and its exit code is the world's. */
const boot = `
umask 022; mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run && mkdir /run/netns && ip link set lo up &&
echo 1 > /proc/sys/net/ipv4/ip_forward && "$@"
exit $?`;

export interface WorldOptions {
  /** The program and its arguments, such as `[process.execPath, "agent.ts"]`. */
  readonly argv: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** As for `spawn`; may contain `"ipc"`. */
  readonly stdio?: StdioOptions;
  /** Whether a user namespace makes the caller root inside; by default for everybody who is not root already. */
  readonly userNamespace?: boolean;
}

/**
 * Starts a program in a network, mount and process world of its own, in which it is root. When the calling process ends, however
 * it ends, the kernel kills everything inside and takes back every mount, namespace and address. SIGTERM does not reach the
 * program (unshare ignores it): say over the IPC channel that it should end, or kill the returned process with SIGKILL.
 */
export function spawnWorld(options: WorldOptions): ChildProcess {
  const userNamespace = options.userNamespace ?? process.getuid?.() !== 0;
  const argv = worldCommand(userNamespace, ["sh", "-c", boot, "sh", ...options.argv]);
  return spawn("setpriv", ["--pdeathsig", "KILL", ...argv], {
    env: { ...(options.env ?? process.env), PATH: toolPath },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: options.stdio ?? "inherit",
    // A session of its own, so that Ctrl-C in a terminal reaches the host process alone.
    detached: true,
  });
}

function worldCommand(userNamespace: boolean, argv: readonly string[]): readonly string[] {
  const user = userNamespace ? ["--user", "--map-root-user"] : [];
  const world = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return ["unshare", ...user, ...world, ...argv];
}

export type WorldSupport =
  | { readonly possible: true; readonly userNamespace: boolean }
  | { readonly possible: false; readonly reason: string };

/** Everything that a pod needs from the kernel, done once in a world that ends at once. */
const trial = `
ip -batch - <<'END' && ip netns exec trial true
netns add trial
link add trial0 type veth peer name eth0 netns trial
link set trial0 up
END
nft 'add table ip trial; add chain ip trial nat { type nat hook prerouting priority -100; }' &&
unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc true`;

/** Whether this machine lets the calling user have a world, found out by making one. */
export async function probeWorld(): Promise<WorldSupport> {
  const missing = missingPrograms().map((program) => program.name);
  if (missing.length > 0) return { possible: false, reason: `not installed: ${missing.join(", ")}` };
  const isRoot = process.getuid?.() === 0;
  let reason = "";
  for (const userNamespace of isRoot ? [false, true] : [true]) {
    try {
      await run(worldCommand(userNamespace, ["sh", "-c", boot, "sh", "sh", "-c", trial]));
      return { possible: true, userNamespace };
    } catch (error) {
      reason = lastLine(messageOf(error));
    }
  }
  return { possible: false, reason };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
