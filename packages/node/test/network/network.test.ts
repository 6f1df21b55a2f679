import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { probeWorld, spawnWorld } from "../../src/sandbox/world.ts";

const names = { a: "10.244.1.2", b: "10.244.1.3", c: "10.244.2.2" };
const node = "10.250.0.11";

/** What each case of inside.ts should give: words are the answering pod's name and the address that it saw. */
const expected: Record<string, unknown> = {
  names,
  direct: `a ${names.c}`,
  "from the node": "c 10.250.0.12",
  balanced: ["a", "b"],
  "from a pod": `a ${names.c}`,
  hairpin: `a ${node}`,
  "no endpoints": ["ECONNREFUSED", "ECONNREFUSED"],
  "no such Service": ["ECONNREFUSED", "ECONNREFUSED"],
  "not in this world": "ENETUNREACH",
  sticky: { places: 1, same: true },
  "node port": [`c ${names.a}`, "c 10.250.0.12"],
  "endpoint gone": ["b"],
  "ingress denied": ["ECONNREFUSED", `a ${names.b}`, "ECONNREFUSED", `a ${node}`],
  "egress denied": ["ECONNREFUSED", `b ${names.c}`, "ECONNREFUSED", "ECONNREFUSED"],
  "a pod may reach itself": [`a ${names.a}`, "a"],
  "all allowed again": `a ${names.c}`,
};

interface Said {
  readonly name: string;
  readonly result?: unknown;
  readonly failure?: string;
}

const support = await probeWorld();

describe("the network between pods", { skip: support.possible ? false : support.reason }, () => {
  const said = new Map<string, Said>();

  before(async () => {
    const userNamespace = support.possible && support.userNamespace;
    const inside = fileURLToPath(new URL("inside.ts", import.meta.url));
    const argv = [process.execPath, inside, userNamespace ? "mapped" : "root"];
    const world = spawnWorld({ argv, stdio: ["ignore", "inherit", "inherit", "ipc"], userNamespace });
    world.on("message", (message: Said) => said.set(message.name, message));
    assert.equal(await new Promise((resolve) => world.on("exit", resolve)), 0);
  });

  for (const [name, wanted] of Object.entries(expected)) {
    test(name, () => {
      assert.equal(said.get(name)?.failure, undefined);
      assert.deepEqual(said.get(name)?.result, wanted);
    });
  }
});
