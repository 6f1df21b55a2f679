import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FakeClock, temporaryFolder } from "@dhow/testkit";
import { type LogOptions, readLog } from "../../src/kubelet/logs/log-reader.ts";
import { LogWriter, removeLogs } from "../../src/kubelet/logs/log-writer.ts";

async function read(path: string, options: LogOptions, writer?: LogWriter): Promise<string> {
  let text = "";
  for await (const piece of readLog(path, options, writer)) text += piece;
  return text;
}

test("lines are written as container runtimes write them, whatever the pieces", async () => {
  using folder = temporaryFolder();
  const writer = new LogWriter(join(folder.path, "c/0.log"), new FakeClock());
  writer.write("stdout", "one\ntw");
  writer.write("stderr", "err\n");
  writer.write("stdout", "o\n\nrest");
  writer.close();
  const time = "2026-01-01T00:00:00.000000000Z";
  assert.equal(
    readFileSync(writer.path, "utf8"),
    [
      `${time} stdout F one`,
      `${time} stderr F err`,
      `${time} stdout F two`,
      `${time} stdout F `,
      `${time} stdout P rest`,
      "",
    ].join("\n"),
  );
  assert.equal(await read(writer.path, {}), "one\nerr\ntwo\n\nrest");
});

test("tail, since, timestamps, streams and a limit of bytes", async () => {
  using folder = temporaryFolder();
  const clock = new FakeClock();
  const writer = new LogWriter(join(folder.path, "0.log"), clock);
  const begin = clock.now();
  for (const word of ["a", "b", "c"]) {
    writer.write(word === "b" ? "stderr" : "stdout", `${word}\n`);
    await clock.advance(1000);
  }
  writer.close();
  assert.equal(await read(writer.path, { tailLines: 2 }), "b\nc\n");
  assert.equal(await read(writer.path, { tailLines: 0 }), "");
  assert.equal(await read(writer.path, { since: begin + 1000 }), "b\nc\n");
  assert.equal(await read(writer.path, { tailLines: 1, timestamps: true }), "2026-01-01T00:00:02.000000000Z c\n");
  assert.equal(await read(writer.path, { stream: "Stderr" }), "b\n");
  assert.equal(await read(writer.path, { limitBytes: 3 }), "a\nb");
});

test("a long line is kept in parts and shown whole", async () => {
  using folder = temporaryFolder();
  const writer = new LogWriter(join(folder.path, "0.log"), new FakeClock());
  const line = "x".repeat(40_000);
  writer.write("stdout", `${line}\nend\n`);
  writer.close();
  assert.match(readFileSync(writer.path, "utf8"), / stdout P x+\n/);
  assert.equal(await read(writer.path, {}), `${line}\nend\n`);
});

test("a full file is put aside, old ones go, and readers see one log", async () => {
  using folder = temporaryFolder();
  const clock = new FakeClock();
  const writer = new LogWriter(join(folder.path, "0.log"), clock, { maximumBytes: 200, maximumFiles: 3 });
  for (let line = 0; line < 40; line++) {
    writer.write("stdout", `line ${line}\n`);
    await clock.advance(1000);
  }
  writer.close();
  assert.ok(readdirSync(folder.path).length <= 3);
  const text = await read(writer.path, {});
  assert.ok(text.endsWith("line 38\nline 39\n"));
  assert.equal(await read(writer.path, { tailLines: 5 }), "line 35\nline 36\nline 37\nline 38\nline 39\n");
});

test("with a log goes what was put aside of it, and nothing of another run", async () => {
  using folder = temporaryFolder();
  const clock = new FakeClock();
  for (const run of ["1", "10"]) {
    const writer = new LogWriter(join(folder.path, `${run}.log`), clock, { maximumBytes: 20, maximumFiles: 3 });
    for (let line = 0; line < 4; line++) {
      writer.write("stdout", `line ${line}\n`);
      await clock.advance(1000);
    }
    writer.close();
  }
  removeLogs(join(folder.path, "1.log"));
  assert.equal(readdirSync(folder.path).length, 3);
  assert.ok(readdirSync(folder.path).every((file) => file.startsWith("10.log")));
});

test("no line is lost or told twice however often the log is put aside while it is read", async () => {
  using folder = temporaryFolder();
  const clock = new FakeClock();
  const writer = new LogWriter(join(folder.path, "0.log"), clock, { maximumBytes: 120, maximumFiles: 1000 });
  const readers: Promise<string>[] = [];
  const expected = Array.from({ length: 300 }, (_, line) => `line ${line}`);
  for (const line of expected) {
    await clock.advance(1000);
    writer.write("stdout", `${line}\n`);
    if (readers.length < 20) readers.push(read(writer.path, { follow: true }, writer));
    await setImmediate();
  }
  writer.close();
  for (const told of await Promise.all(readers)) assert.equal(told, `${expected.join("\n")}\n`);
});

test("following ends with the run, goes through a rotation, and stops when nobody listens", async () => {
  using folder = temporaryFolder();
  const clock = new FakeClock();
  const writer = new LogWriter(join(folder.path, "0.log"), clock, { maximumBytes: 120, maximumFiles: 5 });
  writer.write("stdout", "before\n");
  const followed = read(writer.path, { follow: true }, writer);
  const expected = ["before"];
  for (let line = 0; line < 10; line++) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    writer.write("stdout", `line ${line}\n`);
    expected.push(`line ${line}`);
  }
  // Rotated several times before the reader has its turn.
  for (let line = 10; line < 16; line++) {
    await clock.advance(1000);
    writer.write("stdout", `line ${line}\n`);
    expected.push(`line ${line}`);
  }
  const end = new AbortController();
  const abandoned = read(writer.path, { follow: true, signal: end.signal }, writer);
  end.abort();
  await abandoned;
  writer.close();
  assert.equal(await followed, `${expected.join("\n")}\n`);
});
