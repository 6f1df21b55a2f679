import assert from "node:assert/strict";
import { test } from "node:test";
import type { Probe } from "@dhow/kube";
import { FakeClock } from "@dhow/testkit";
import { failure, success } from "../../src/kubelet/probes/probe-outcome.ts";
import { type ProbeType, ProbeWorker } from "../../src/kubelet/probes/probe-worker.ts";

/** A worker whose attempts answer what `well` says at the time, and the seconds at which they were made. */
function probing(type: ProbeType, probe: Probe) {
  const clock = new FakeClock();
  const start = clock.now();
  const attempts: number[] = [];
  const changes: string[] = [];
  const failures: string[] = [];
  const world = { well: true };
  const worker = new ProbeWorker({
    type,
    probe,
    clock,
    startedAt: start,
    attempt: async () => {
      attempts.push((clock.now() - start) / 1000);
      return world.well ? success : failure("no");
    },
    onFailure: ({ message }) => failures.push(message),
    onChange: (state) => changes.push(`${(clock.now() - start) / 1000} ${state}`),
  });
  return { clock, worker, attempts, changes, failures, world };
}

test("the first attempt waits for the whole initial delay, then one a period", async () => {
  const { clock, worker, attempts } = probing("Readiness", { initialDelaySeconds: 5, periodSeconds: 3 });
  worker.start();
  await clock.advance(4999);
  worker.trigger();
  assert.deepEqual(attempts, []);
  await clock.advance(7001);
  assert.deepEqual(attempts, [5, 8, 11]);
});

test("a probe without settings is made every ten seconds", async () => {
  const { clock, worker, attempts } = probing("Liveness", {});
  worker.start();
  await clock.advance(21_000);
  assert.deepEqual(attempts, [0, 10, 20]);
});

test("readiness begins as a failure, and turns at each threshold", async () => {
  const { clock, worker, changes, failures, world } = probing("Readiness", {
    periodSeconds: 1,
    successThreshold: 2,
    failureThreshold: 3,
  });
  assert.equal(worker.state, "Failure");
  worker.start();
  await clock.advance(1500);
  assert.deepEqual(changes, ["1 Success"]);
  world.well = false;
  await clock.advance(2000);
  assert.equal(worker.state, "Success");
  world.well = true;
  await clock.advance(1000);
  world.well = false;
  await clock.advance(3000);
  assert.deepEqual(changes, ["1 Success", "7 Failure"]);
  assert.equal(failures.length, 5);
});

test("liveness begins well, and its failure is the last word on this run of the container", async () => {
  const { clock, worker, changes, attempts, world } = probing("Liveness", { periodSeconds: 2, failureThreshold: 2 });
  assert.equal(worker.state, "Success");
  world.well = false;
  worker.start();
  await clock.advance(2000);
  assert.deepEqual(changes, ["2 Failure"]);
  world.well = true;
  await clock.advance(20_000);
  assert.deepEqual(attempts, [0, 2]);
  assert.equal(worker.state, "Failure");
});

test("startup is unknown until it succeeds, and is not asked again then", async () => {
  const { clock, worker, attempts, changes, world } = probing("Startup", { periodSeconds: 1, failureThreshold: 30 });
  world.well = false;
  worker.start();
  await clock.advance(2500);
  assert.equal(worker.state, "Unknown");
  world.well = true;
  await clock.advance(5000);
  assert.deepEqual(attempts, [0, 1, 2, 3]);
  assert.deepEqual(changes, ["3 Success"]);
});

test("an attempt out of turn counts, and the period goes on from it", async () => {
  const { clock, worker, attempts, changes } = probing("Readiness", { periodSeconds: 10, successThreshold: 2 });
  worker.start();
  await clock.advance(4000);
  worker.trigger();
  await clock.advance(10_000);
  assert.deepEqual(attempts, [0, 4, 14]);
  assert.deepEqual(changes, ["4 Success"]);
});

test("a worker that was stopped says nothing more", async () => {
  const { clock, worker, attempts, changes } = probing("Readiness", { periodSeconds: 1 });
  worker.start();
  worker.stop();
  await clock.advance(5000);
  assert.deepEqual([attempts, changes], [[], []]);
});
