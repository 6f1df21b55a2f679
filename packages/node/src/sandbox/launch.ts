import { posix } from "node:path";
import { bareShell, readEnvironment } from "./environment.ts";
import { identityCommand, identityCommandInside } from "./identity.ts";
import type { ContainerConfig, ExecConfig } from "./sandbox.ts";
import { toolCommand } from "./tools.ts";

/**
 * Runs as root of the world in the container's fresh namespaces. What it has to complain about goes to descriptor 3, where the agent
 * listens until the program starts; descriptor 4 keeps the program's own stderr. The control groups are joined once the root is laid out: its making
 * would use up what the program may have of its first period of 100 ms, and a program that starts would wait for the next.
 */
const setup = `
set -e
exec 4>&2 2>&3
folder=$1 hostname=$2 directory=$3 cgroups=$4 sysctls=$5 inodes=$6; shift 6
IFS='
'
for entry in $sysctls; do echo "\${entry#*=}" > "/proc/sys/\${entry%%=*}"; done
hostname "$hostname"
mount --no-mtab --all --fstab "$folder/fstab"
for entry in $inodes; do
  [ "$(stat -c %d:%i "\${entry#* }")" = "\${entry%% *}" ] || { echo "\${entry#* }: something else was put there" >&2; exit 1; }
done
for file in $cgroups; do echo 0 > "$file"; done
unset IFS
cd "$folder/root"
pivot_root . .
UMOUNT
cd "$directory"
exec "$@"`;

/** A program that is not there is a failure of the start, not of the program: said as runc says it. */
const lookUp = `command -v "$1" > /dev/null || {
case $1 in */*) why="stat $1: no such file or directory" ;; *) why='executable file not found in $PATH' ;; esac
echo "exec: \\"$1\\": $why" >&3; exit 127; }`;

/**
 * The container's first process: waits for the program, and takes in orphans meanwhile, which the kernel gives it. The shell's
 * own words about how the program ended do not belong in the container's log.
 */
const firstProcess = `${readEnvironment}
exec 2>/dev/null; ${lookUp}; echo started >&3; exec 3>&-; (dhow_exec "$@" 2>&4 4>&-); exit $?`;

export interface LaunchRequest {
  readonly config: ContainerConfig;
  readonly folder: string;
  readonly networkNamespace: string;
  readonly hostname: string;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Files to which a process writes 0 to join the container's control groups. */
  readonly cgroupFiles: readonly string[];
  readonly userNamespace: boolean;
  /** Device, inode and path of mounts that others could have put something else in the place of. */
  readonly inodes: readonly string[];
}

/** The command line that becomes a container, once descriptor 3 has got its `environmentText()`. */
export function launchCommand(request: LaunchRequest): string[] {
  const { config, folder, networkNamespace, hostname, cgroupFiles, userNamespace } = request;
  const unmount = `${shellWords(toolCommand("umount", config.root))} -l .`;
  const sysctls = Object.entries(request.sysctls).map(([name, value]) => `${name.replaceAll(".", "/")}=${value}`);
  const namespaces = `nsenter --net=${networkNamespace} unshare --mount --uts --ipc --pid --fork --kill-child`;
  const directory = posix.join("/", config.workingDirectory);
  const parameters = [folder, hostname, directory, lines(cgroupFiles), lines(sysctls), lines(request.inodes)];
  return [
    ...namespaces.split(" "),
    "sh",
    "-c",
    setup.replace("UMOUNT", unmount),
    "sh",
    ...parameters,
    ...identityCommand(config, userNamespace),
    ...bareShell(config, firstProcess),
    ...onTerminal(config, config.tty, config.argv),
  ];
}

/** As the setup reads them; one with a line end of its own would be two. */
function lines(words: readonly string[]): string {
  const bad = words.find((word) => word.includes("\n"));
  if (bad !== undefined) throw new Error(`${JSON.stringify(bad)} must not have a line end`);
  return words.join("\n");
}

/** The command line of a further program in the container whose first process is `pid`; `environmentText()` belongs to descriptor 3 here, too. */
export function enterCommand(
  container: Pick<LaunchRequest, "config" | "cgroupFiles" | "userNamespace"> & { readonly pid: number },
  exec: ExecConfig,
): string[] {
  const { config, cgroupFiles, pid } = container;
  const mapped = container.userNamespace && config.user !== 0;
  const join = 'for file in $1; do echo 0 > "$file"; done; shift; exec "$@"';
  const namespaces = [
    "--mount",
    "--uts",
    "--ipc",
    "--net",
    "--pid",
    ...(mapped ? ["--user", "--preserve-credentials"] : []),
  ];
  return [
    "sh",
    "-c",
    join,
    "sh",
    cgroupFiles.join(" "),
    "nsenter",
    `--target=${pid}`,
    ...namespaces,
    "--",
    ...identityCommandInside(config, container.userNamespace),
    ...bareShell(config, `${readEnvironment} exec 3>&-; dhow_exec "$@"`, [`--chdir=${config.workingDirectory || "/"}`]),
    ...onTerminal(config, exec.tty, exec.argv),
  ];
}

/** With a terminal of its own, from script(1), which is the way to one without native code; it ends with the program's exit code. */
function onTerminal(config: ContainerConfig, tty: boolean, argv: readonly string[]): readonly string[] {
  if (!tty) return argv;
  const options = ["--quiet", "--flush", "--return", "--echo", "always", "--command"];
  return [...toolCommand("script", config.root), ...options, `exec ${shellWords(argv)}`, "/dev/null"];
}

/** A command line as one text for a shell. */
function shellWords(argv: readonly string[]): string {
  return argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
