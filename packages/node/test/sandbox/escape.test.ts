import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compare } from "./compare.ts";

/** What a pod finds that looks for what is not its own: the same for a pod's ordinary user and for its root. */
const finds: Readonly<Record<string, RegExp>> = {
  "environments of others": /^0$/,
  "processes of others": /^[3-6]$/,
  "a file of the machine": /^cat: [^\n]*: No such file or directory$/,
  "keys of the cluster": /No such file or directory$/,
  "the checkout": /No such file or directory$/,
  "the file of another pod": /No such file or directory$/,
  "a socket of the machine": /^ENOENT$/,
  "an abstract socket": /^ECONNREFUSED$/,
  "the loopback of another pod": /^ECONNREFUSED$/,
  "sockets in the file system": /^$/,
  "open files": /^$/,
  mounting: /permission denied|must be superuser/,
  "programs of the machine": /Read-only file system$/,
  "settings of the machine": /Read-only file system$/,
  "a kernel setting": /^sh: .*(?:Read-only file system|Permission denied)$/,
  "a kernel setting, unmasked": /(?:Read-only file system|Permission denied|Operation not permitted)$/,
  "control groups": /^$/,
  "the kernel's log": /^$/,
  "a module": /^0?$/,
  "private parts of /etc": /^$/,
  "a device of its own": /^$/,
  "another pod after everything that can be seen was killed": /^not-for-others$/,
};

/** What a pod's description cannot bring about. */
const asks: Readonly<Record<string, unknown>> = {
  "a setting within a setting": /must not have a line end/,
  "a working directory above the root": { said: /^started$|can't cd/, made: false },
  "a mount above the root": { said: /^started$/, made: false },
  "a mount through a link of a volume": { said: /leads out of/, made: false },
  "something else in the place of a folder": /something else was put there/,
  "the folder itself": /^started$/,
};

const isRoot = process.getuid?.() === 0;
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const inside = fileURLToPath(new URL("escape-inside.ts", import.meta.url));
const world = fileURLToPath(new URL("escape-world.ts", import.meta.url));

/** Why a column cannot be tried here. */
function impossible(prefix: readonly string[], isolation: string): string | false {
  const { status, stderr } = spawnSync("env", [...prefix, process.execPath, world, isolation, "probe"], {
    encoding: "utf8",
  });
  return status === 0 ? false : stderr.trim().split("\n").at(-1) || "no namespaces here";
}

function start(prefix: readonly string[], isolation: string): ChildProcess {
  const words = [...prefix, process.execPath, world, isolation, inside];
  return spawn("env", words, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

const columns = [
  { name: "of a cluster that root runs", prefix: [], isolation: "root", skip: isRoot ? false : "not root" },
  { name: "of a cluster that an ordinary user runs", prefix: isRoot ? nobody : [], isolation: "mapped", skip: false },
] as const;

for (const { isolation, name, prefix, skip } of columns) {
  describe(`a pod ${name}`, { skip: skip || impossible(prefix, isolation) }, () => {
    let results: Record<string, unknown> = {};

    before(async () => {
      const child = start(prefix, isolation);
      child.on("message", (message: { folder: string; results: Record<string, unknown> }) => {
        results = message.results;
        rmSync(message.folder, { recursive: true, force: true });
      });
      assert.equal(await new Promise((resolve) => child.on("exit", resolve)), 0);
    });

    for (const user of ["user", "root"]) {
      for (const [what, wanted] of Object.entries(finds)) {
        test(`as its ${user}: ${what}`, () => compare((results[user] as Record<string, unknown>)[what], wanted));
      }
    }
    for (const [what, wanted] of Object.entries(asks)) test(`asks for ${what}`, () => compare(results[what], wanted));
  });
}
