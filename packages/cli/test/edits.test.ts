import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { clusterFolder, connect, freePort, greeter, type Running, startDhow, write } from "./fixture.ts";

const description = `import { ingress, service, system } from "dhow";

export default system("shop", () => {
  const api = service("api", { source: "api", port: 3000, health: "/" });
  const web = service("web", { source: "web", port: 3000, health: "/", replicas: 1 });
  return [ingress("shop", { routes: { "/": web, "/api": api } })];
});
`;

describe("edits", () => {
  let folder: ReturnType<typeof clusterFolder>;
  let port: number;
  let running: Running;

  before(async () => {
    port = await freePort();
    folder = clusterFolder({
      "system.ts": description,
      "api/src/main.ts": greeter("one"),
      "web/src/main.ts": greeter("web"),
    });
    running = startDhow(folder.path, "up", "--port", String(port));
    await running.said(/export KUBECONFIG=/);
  });
  after(async () => {
    await running[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const ask = async (path = "/api") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };

  /** How often the containers of a service have been started again. */
  async function restarts(name: string): Promise<number[]> {
    using cluster = connect(folder.path);
    const ref = { apiVersion: "v1", kind: "Pod", namespace: "shop" };
    const { items } = await cluster.client.list<Pod>(ref, { labelSelector: `app=${name}` });
    return items.map((pod) => pod.status?.containerStatuses?.[0]?.restartCount ?? -1);
  }

  /** Edits, and asks all the while until only the new code answers; gives what was answered meanwhile. */
  async function editUnderLoad(word: string): Promise<{ status: number; text: string }[]> {
    const answers: { status: number; text: string }[] = [];
    const end = new AbortController();
    const load = Array.from({ length: 4 }, async () => {
      while (!end.signal.aborted) {
        answers.push(await ask().catch((error: unknown) => ({ status: 0, text: String(error) })));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    });
    const restarted = () => running.output.match(/api +\S+: restarted in/g)?.length ?? 0;
    const before = restarted();
    write(folder.path, "api/src/main.ts", greeter(word));
    try {
      await eventually(
        () => answers.slice(-50).length === 50 && answers.slice(-50).every(({ text }) => text.startsWith(word)),
      );
    } finally {
      end.abort();
      await Promise.all(load);
    }
    // Whoever edits again before the last pod has read the files gives it the next edit.
    await eventually(() => restarted() > before);
    return answers;
  }

  test("new code answers, only the service that was touched restarts, and no request fails meanwhile", async () => {
    const answers = await editUnderLoad("two");
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    );
    assert.ok(answers.every(({ text }) => /^(one|two) from api-/.test(text)));
    assert.deepEqual(await restarts("api"), [1, 1]);
    assert.deepEqual(await restarts("web"), [0]);
    await running.said(/api +api\/src\/main.ts: restarted in \d+ ms/);
  });

  test("a syntax error is shown with its place, the old code goes on, and what mends it counts", async () => {
    write(folder.path, "api/src/main.ts", `${greeter("three")}\nconst broken = ;\n`);
    await running.said(/syntax error[^]*api\/src\/main\.ts:7:16/);
    assert.match((await ask()).text, /^two from api-/);
    assert.deepEqual(await restarts("api"), [1, 1]);
    assert.deepEqual(
      (await editUnderLoad("four")).filter(({ status }) => status !== 200),
      [],
    );
  });

  test("a program that ends at once after an edit is shown with its place and its last words, until it is mended", async () => {
    write(folder.path, "web/src/main.ts", '// A mistake.\nthrow new Error("no shelf is set");\n');
    await running.said(/web +✗ exits with 1, \w+[^]*web\/src\/main\.ts:2:7[^]*no shelf is set/);
    assert.match((await ask()).text, /^four from api-/, "the others go on");
    write(folder.path, "web/src/main.ts", greeter("mended"));
    await eventually(async () => (await ask("/")).text.startsWith("mended from web-"));
  });

  test("a new file and one that is removed count, too", async () => {
    write(folder.path, "api/src/word.ts", 'export const word = "five";\n');
    write(folder.path, "api/src/main.ts", `import { word } from "./word.ts";\n${greeter("${word}")}`);
    await eventually(async () => (await ask()).text.startsWith("five from api-"));
    write(folder.path, "api/src/main.ts", greeter("six"));
    rmSync(join(folder.path, "api/src/word.ts"));
    await eventually(async () => (await ask()).text.startsWith("six from api-"));
  });
});
