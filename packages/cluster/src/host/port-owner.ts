import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** Which program listens on a TCP port of this machine, as far as one may see it: `nginx (process 812)`. Linux; undefined elsewhere. */
export function portOwner(port: number): string | undefined {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!holdsSocket(pid, inodes)) continue;
    return `${programOf(pid)} (process ${pid})`;
  }
  return "a program of another user";
}

/** As a person knows it: what a program calls its first thread, such as MainThread, says little. */
function programOf(pid: string): string {
  const [path = ""] = read(`/proc/${pid}/cmdline`).split("\0");
  return basename(path) || read(`/proc/${pid}/comm`).trim() || "a program";
}

/** The sockets that listen on the port (proc(5), /proc/net/tcp: local address in hexadecimal, state 0A, inode). */
function listeningInodes(port: number): Set<string> {
  const inodes = new Set<string>();
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readLines(file)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === "0A" && fields[1]?.endsWith(`:${hex}`) && fields[9]) inodes.add(fields[9]);
    }
  }
  return inodes;
}

function readLines(file: string): string[] {
  return read(file).split("\n").slice(1);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) =>
      inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? ""),
    );
  } catch {
    // The process ended, or belongs to somebody else.
    return false;
  }
}
