import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** An ordinary user's PATH has no sbin on Debian, where ip and nft are. */
export const toolPath = [process.env["PATH"], "/usr/sbin", "/sbin", "/usr/bin", "/bin"].filter(Boolean).join(delimiter);

/** The environment of every tool that is run: what a pod's own environment says must not reach them. */
export const toolEnvironment: Readonly<Record<string, string>> = { PATH: toolPath, LC_ALL: "C" };

export interface Program {
  readonly name: string;
  /** The Debian package that carries it. */
  readonly package: string;
}

/** What the sandbox with namespaces calls. */
export const requiredPrograms: readonly Program[] = [
  { name: "unshare", package: "util-linux" },
  { name: "nsenter", package: "util-linux" },
  { name: "setpriv", package: "util-linux" },
  { name: "pivot_root", package: "util-linux" },
  { name: "mount", package: "mount" },
  { name: "umount", package: "mount" },
  { name: "script", package: "bsdutils" },
  { name: "hostname", package: "hostname" },
  { name: "ip", package: "iproute2" },
  { name: "nft", package: "nftables" },
];

/** Where a program is on the tools' PATH. */
export function findProgram(name: string): string | undefined {
  return toolPath
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function missingPrograms(): readonly Program[] {
  return requiredPrograms.filter((program) => findProgram(program.name) === undefined);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a tool to its end and gives what it wrote to stdout; throws with what it wrote to stderr. */
export function run(argv: readonly string[], input = ""): Promise<string> {
  const [program = "", ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { env: toolEnvironment, stdio: "pipe" });
    let output = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${argv.join(" ")}: ${complaint.trim() || `ended with ${signal ?? code}`}`));
    });
    // A tool that ends without reading its input is known by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
