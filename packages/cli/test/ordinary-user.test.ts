import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { asUser, command, freePort, greeter, nobody, userFolder } from "./fixture.ts";
import { footprint, leftovers } from "./footprint.ts";

const skip = process.getuid?.() === 0 ? false : "who is no root tests this with every other test";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/" });
  return [ingress("shop", { routes: { "/": api } })];
});
`;

describe("an ordinary user", { skip }, () => {
  const folder = userFolder({ "system.ts": description, "api/src/main.ts": greeter("hello") });
  const home = join(folder.path, "home");
  mkdirSync(home);
  for (const path of [folder.path, home]) chownSync(path, nobody.uid, nobody.gid);

  function dhow(...words: string[]) {
    const env = { PATH: process.env["PATH"], HOME: home };
    const [program = "", ...argv] = [...asUser(nobody), process.execPath, command, ...words];
    const { status, stdout, stderr } = spawnSync(program, argv, {
      cwd: folder.path,
      env,
      encoding: "utf8",
      timeout: 60_000,
    });
    return { code: status, stdout, stderr };
  }

  after(() => {
    dhow("down");
    folder[Symbol.dispose]();
  });

  test("runs a system, reaches it, and leaves nothing behind", async () => {
    const port = await freePort();
    const up = dhow("up", "--detach", "--port", String(port));
    assert.equal(up.code, 0, up.stdout + up.stderr);
    const seen = footprint(folder.path, { uid: nobody.uid });
    for (const pid of seen.processes.keys())
      assert.doesNotMatch(readFileSync(`/proc/${pid}/status`, "utf8"), /^Uid:\t0\t/m, "no process of it is root's");
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^hello from api-/);
    const status = dhow("status", "--json");
    assert.equal(status.code, 0, status.stderr);
    const down = dhow("down");
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(leftovers(seen), []);
  });
});
