// What a node writes while its disk is full: nothing that runs may end of it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually, FakeClock, noSmallDisk, RecordingReporter, smallDisk } from "@dhow/testkit";
import { readLog } from "../../src/kubelet/logs/log-reader.ts";
import { LogWriter } from "../../src/kubelet/logs/log-writer.ts";
import { type PodRecord, PodRecords } from "../../src/kubelet/pod-record.ts";
import { writeAtomically } from "../../src/kubelet/volumes/atomic-writer.ts";

const record = (startTime: number): PodRecord => ({
  uid: "u",
  namespace: "n",
  name: "p",
  startTime,
  sandbox: 0,
  containers: {},
});

describe("a full disk", { skip: noSmallDisk }, () => {
  test("costs a log the lines for which there is no space, and no others", async () => {
    using disk = smallDisk(1);
    const writer = new LogWriter(join(disk.path, "0.log"), new FakeClock());
    writer.write("stdout", "before\n");
    disk.fill();
    for (let line = 0; line < 100; line++) writer.write("stdout", `${"x".repeat(200)}\n`);
    disk.free();
    writer.write("stdout", "after\n");
    writer.close();
    let text = "";
    for await (const piece of readLog(writer.path, {})) text += piece;
    const lines = text.trimEnd().split("\n");
    assert.deepEqual([lines[0], lines.at(-1)], ["before", "after"]);
    assert.ok(lines.length < 100, `${lines.length} lines`);
    for (const line of lines.slice(1, -1)) assert.equal(line, "x".repeat(200), "no line is cut");
  });

  test("does not keep a log from being put aside later", () => {
    using disk = smallDisk(1);
    const writer = new LogWriter(join(disk.path, "0.log"), new FakeClock(), { maximumBytes: 2000, maximumFiles: 2 });
    disk.fill();
    for (let line = 0; line < 40; line++) writer.write("stdout", `${"x".repeat(200)}\n`);
    disk.free();
    for (let line = 0; line < 40; line++) writer.write("stdout", `${"x".repeat(200)}\n`);
    writer.close();
    assert.ok(readFileSync(writer.path).length <= 2300);
  });

  test("leaves the old record of a pod, and the new one is written as soon as there is space", async () => {
    using disk = smallDisk(1);
    const reporter = new RecordingReporter();
    const records = new PodRecords(join(disk.path, "records"), reporter);
    records.save(record(1));
    disk.fill();
    records.save(record(2));
    records.save(record(3));
    assert.deepEqual(readdirSync(join(disk.path, "records")), ["u.json"]);
    assert.equal(records.load().get("u")?.startTime, 1);
    assert.deepEqual(reporter.kinds(), ["node.record-not-saved"]);
    assert.match(reporter.reports[0]?.message ?? "", /ENOSPC/);
    disk.free();
    await eventually(() => records.load().get("u")?.startTime === 3);
  });

  test("leaves the files of a volume as they were", () => {
    using disk = smallDisk(1);
    const target = join(disk.path, "volume");
    const payload = (text: string) => new Map([["key", { data: Buffer.from(text), mode: 0o644 }]]);
    writeAtomically(target, payload("old"));
    const entries = readdirSync(target);
    disk.fill();
    assert.throws(() => writeAtomically(target, payload("new".repeat(10_000))), /ENOSPC/);
    assert.equal(readFileSync(join(target, "key"), "utf8"), "old");
    assert.deepEqual(readdirSync(target), entries, "nothing half-written is left");
    disk.free();
    writeAtomically(target, payload("new"));
    assert.equal(readFileSync(join(target, "key"), "utf8"), "new");
  });
});
