import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { eventually } from "@dhow/testkit";
import { complete, patience, release, type Stage } from "./operator.ts";
import { Client } from "./wire.ts";

const health = '{ status: "healthy" }';

/** New versions, broken versions, and the way back. */
export function versions(stage: () => Stage): void {
  const image = (of: string) => ["set", "image", `deployment/${of}`];
  const say = (text: string) =>
    stage().cluster.kubectl("annotate", "deployment/auth-service", `kubernetes.io/change-cause=${text}`, "--overwrite");

  /** What auth-service says of itself through the ingress. */
  async function said(): Promise<string> {
    const client = new Client({ port: stage().cluster.port });
    const { body } = await client.send({ method: "GET", path: "/auth/health" });
    client.close();
    return body.status;
  }

  const speaks = (word: string) => ({
    "src/app.ts": (text: string) => text.replace(health, `{ status: process.env["GREETING"] ?? "${word}" }`),
  });

  it("rolls out a new version and its settings, and restarts what it has", async () => {
    const { cluster, load } = stage();
    await load.during("new version", async () => {
      const reference = release(cluster, "auth-service", "2.0.0", speaks("two"));
      await cluster.kubectl(...image("auth-service"), `auth-service=${reference}`);
      await say("2.0.0: says two");
      await complete(cluster, "auth-service");
      assert.equal(await said(), "two");
      await cluster.kubectl("set", "env", "deployment/auth-service", "GREETING=hello");
      await say("greets");
      await complete(cluster, "auth-service");
      assert.equal(await said(), "hello");
    });
    await load.during("rolling restart of all", async () => {
      const all = ["auth-service", "logic-service", "db-service"].map((name) => `deployment/${name}`);
      await cluster.kubectl("rollout", "restart", ...all);
      await complete(cluster, "auth-service", "logic-service", "db-service");
    });
  });

  it("serves with the old pods while a version does not become ready; undo mends it", async () => {
    const { cluster, load } = stage();
    await load.during("broken version, undone", async () => {
      const reference = release(cluster, "auth-service", "3.0.0", {
        "src/main.ts": () => 'throw new Error("not yet");\n',
      });
      await cluster.kubectl(...image("auth-service"), `auth-service=${reference}`);
      await say("3.0.0: broken");
      await eventually(
        async () => {
          const pods = await cluster.objects("pods", "-l", "app=auth-service");
          return pods.some(({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) >= 1);
        },
        ...patience,
      );
      const status = ["rollout", "status", "deployment/auth-service", "--timeout=1s"];
      await assert.rejects(cluster.kubectl(...status));
      assert.equal(await said(), "hello");
      await cluster.kubectl("rollout", "undo", "deployment/auth-service");
      await complete(cluster, "auth-service");
      assert.equal(await said(), "hello");
    });
  });

  it("goes back to any version with its settings; the history says what changed", async () => {
    const { cluster, load } = stage();
    const history = async () => {
      const lines = (await cluster.kubectl("rollout", "history", "deployment/auth-service"))
        .trim()
        .split("\n")
        .slice(2);
      return lines.map((line) => /^(\d+) +(.+)$/.exec(line)?.slice(1) ?? []);
    };
    const revisionOf = async (cause: string) => (await history()).find(([, text]) => text === cause)?.[0] ?? "";
    await load.during("back to any version", async () => {
      for (const [cause, answer] of [
        ["2.0.0: says two", "two"],
        [/^bookmeup 0\.1\.0/, "healthy"],
        ["greets", "hello"],
      ] as const) {
        const all = await history();
        const [revision = ""] =
          all.find(([, text = ""]) => (typeof cause === "string" ? text === cause : cause.test(text))) ?? [];
        assert.notEqual(revision, "", `${cause} is not in ${JSON.stringify(all)}`);
        await cluster.kubectl("rollout", "undo", "deployment/auth-service", `--to-revision=${revision}`);
        await complete(cluster, "auth-service");
        assert.equal(await said(), answer);
      }
    });
    const shown = await cluster.kubectl(
      "rollout",
      "history",
      "deployment/auth-service",
      `--revision=${await revisionOf("greets")}`,
    );
    assert.match(shown, /Image:\tbookmeup\/auth-service:2\.0\.0\n[^]*GREETING:\thello/);
  });

  it("follows an edit of the source, pod after pod", async () => {
    const { cluster, load } = stage();
    await load.during("edit of the source", async () => {
      const file = join(cluster.folder, "logic-service/src/app.ts");
      writeFileSync(file, readFileSync(file, "utf8").replace(health, '{ status: "edited" }'));
      const client = new Client({ port: cluster.port }, false);
      const ask = async () => (await client.send({ method: "GET", path: "/services/health" })).body.status;
      const edited = async () => [await ask(), await ask(), await ask()].every((status) => status === "edited");
      await eventually(edited, ...patience);
      await complete(cluster, "logic-service");
    });
  });
}
