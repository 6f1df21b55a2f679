import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compare } from "./compare.ts";
import { probeWorld, spawnWorld } from "../../src/sandbox/world.ts";

interface Said {
  readonly name?: string;
  readonly result?: unknown;
  readonly failure?: string;
  readonly folder?: string;
}

const exit = (exitCode: number, signal?: string, oomKilled = false) => ({
  exitCode,
  ...(signal ? { signal } : {}),
  oomKilled,
});
const quiet = { out: "", error: "" };

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const environment = ["EMPTY=", "IFS=x", "PATH=/usr/bin:/bin", `PLAIN=a 'b' "$c" \\n\n\nd`, "dotted.name-x=e\n'f'"];

/** What each case of inside.ts should give. */
const expected: Record<string, unknown> = {
  "exit code": { out: "out\n", error: "error\n", ...exit(7) },
  "missing program": { refused: 'exec: "no-such-program": executable file not found in $PATH' },
  "own signal": { ...quiet, ...exit(139, "SIGSEGV") },
  "term without handler": { first: "still runs", last: exit(137, "SIGKILL") },
  "unshare killed": { ...exit(137, "SIGKILL"), left: [] },
  environment: { variables: environment, error: "", ...exit(0) },
  "environment of an exec": { variables: ["ONE=1", `PATH=${defaultPath}`, "TWO=two\n"], error: "", ...exit(0) },
  "secret in the environment": { seen: [] },
  "term with handler": { out: "ready\nbye\n", error: "", ...exit(3) },
  orphans: { out: "0\n", error: "", ...exit(1) },
  files: {
    out: /^the-host\nthe-host\nnameserver 1.2.3.4\n9.9.9.9\tnine\n(dhow|\w+)\n[^]*\/made\/for it\n$/,
    error: "",
  },
  sysctls: { out: "20000\t30000\n" },
  "reopened stdout": { out: "again\n", error: "sorry\n", ...exit(0) },
  "memory mount": { out: "1048576\n", error: /No space left/ },
  "nested mounts": { out: "innerinner/usr/bin/env\n", error: /Read-only file system/ },
  "out of memory": { ...exit(137, "SIGKILL", true) },
  exec: { out: "1234\n/tmp\n13\ninput", error: "", ...exit(4) },
  terminal: { out: /\/dev\/pts\/0\r\n33 101\r\n/, ...exit(5) },
  "container with a terminal": { out: "/dev/pts/0\r\n", ...exit(6) },
  loopback: { refused: /ECONNREFUSED/, said: "from inside" },
  "shared loopback": { out: "neighbour", error: "", ...exit(0) },
  "image layers": { out: /^basetopthe-host\nwritten\n(0|1234)\n.*No such file/, error: "" },
  "image read-only": { error: /Read-only file system/, exitCode: 1 },
  "impossible mount": /nothing-here/,
  usage: { cpu: true, memory: true },
};

const support = await probeWorld();

describe("containers in namespaces", { skip: support.possible ? false : support.reason }, () => {
  const said = new Map<string, Said>();

  before(async () => {
    const userNamespace = support.possible && support.userNamespace;
    const inside = fileURLToPath(new URL("inside.ts", import.meta.url));
    const world = spawnWorld({
      argv: [process.execPath, inside, userNamespace ? "mapped" : "root"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      userNamespace,
    });
    world.on("message", (message: Said) => {
      if (message.name) said.set(message.name, message);
      if (message.folder) rmSync(message.folder, { recursive: true, force: true });
    });
    assert.equal(await new Promise((resolve) => world.on("exit", resolve)), 0);
  });

  for (const [name, wanted] of Object.entries(expected)) {
    test(name, () => {
      const message = said.get(name);
      assert.equal(message?.failure, undefined);
      compare(message?.result, wanted);
    });
  }

  test("an address that was given back is not the next one", () => {
    const addresses = said.get("addresses given back")?.result as { before: string; after: string } | undefined;
    assert.ok(addresses);
    assert.notEqual(addresses.before, addresses.after);
  });
});
