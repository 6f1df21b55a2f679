import assert from "node:assert/strict";
import { Agent, get, request } from "node:http";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { eventually } from "@dhow/testkit";
import { example } from "./program.ts";

const greeting = { GREETING: "Salaam" };

/** A request over a given agent: status, headers and text, or the error's code. */
function fetchOver(
  agent: Agent,
  url: string,
): Promise<{ status: number | string; connection: string | undefined; text: string }> {
  return new Promise((resolve) => {
    const asked = get(url, { agent }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, text }),
      );
    });
    asked.on("error", (error: NodeJS.ErrnoException) =>
      resolve({ status: error.code ?? "error", connection: undefined, text: "" }),
    );
  });
}

describe("a service", () => {
  it("answers, says that it is healthy, and when it is not, why", async () => {
    await using program = example(greeting);
    const url = await program.url();
    assert.equal(await (await fetch(`${url}/hello/Amina`)).text(), "Salaam, Amina");
    const health = await fetch(`${url}/health`);
    assert.deepEqual([health.status, await health.json()], [200, { status: "healthy" }]);
    assert.equal((await fetch(`${url}/health`, { method: "HEAD" })).status, 200);
    await fetch(`${url}/sick`, { method: "POST" });
    const sick = await fetch(`${url}/ready`);
    assert.deepEqual([sick.status, await sick.json()], [503, { status: "not ready", reason: "no database" }]);
    assert.equal((await fetch(`${url}/health`)).status, 200);
  });

  it("counts requests by route pattern, however many paths there are, and from the first on", async () => {
    await using program = example(greeting);
    const url = await program.url();
    for (const name of ["a", "b", "c"]) await fetch(`${url}/hello/${name}`);
    for (const path of ["x", "y", "z"]) await fetch(`${url}/nothing/${path}`);
    const text = await (await fetch(`${url}/metrics`)).text();
    const series = text.split("\n").filter((line) => line.startsWith("app_requests_total"));
    assert.deepEqual(series, [
      'app_requests_total{method="GET",endpoint="/hello/:name",status="200"} 3',
      'app_requests_total{method="GET",endpoint="unmatched",status="404"} 3',
    ]);
    assert.match(text, /app_request_latency_seconds_count\{method="GET",endpoint="\/hello\/:name"\} 3/);
    assert.match(text, /^greetings_total 3$/m);
    assert.match(text, /^process_resident_memory_bytes \d/m);
  });

  it("keeps its metrics from those who come through a proxy", async () => {
    await using program = example(greeting);
    const response = await fetch(`${await program.url()}/metrics`, { headers: { "x-forwarded-for": "203.0.113.9" } });
    assert.equal(response.status, 404);
  });

  it("logs a request as one JSON object, with the address that the proxy saw and without the query", async () => {
    await using program = example(greeting);
    await fetch(`${await program.url()}/hello/Amina?token=secret`, {
      headers: { "x-forwarded-for": "198.51.100.1, 203.0.113.9" },
    });
    const line = await eventually(() => program.logged().find((one) => one["message"] === "request"));
    const { timestamp, latency, ...rest } = line;
    assert.deepEqual(rest, {
      level: "info",
      service: "example",
      message: "request",
      method: "GET",
      path: "/hello/Amina",
      status: 200,
      ip: "203.0.113.9",
    });
    assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal(typeof latency, "number");
  });

  it("loses no request when SIGTERM comes under load over kept connections, closes them, and exits with 0", async () => {
    await using program = example(greeting);
    const url = await program.url();
    const answers: Awaited<ReturnType<typeof fetchOver>>[] = [];
    const elsewhere = new AbortController();
    const customer = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (!elsewhere.signal.aborted) answers.push(await fetchOver(agent, `${url}/slow?ms=5`));
      agent.destroy();
    };
    const customers = Array.from({ length: 20 }, customer);
    await new Promise((resolve) => setTimeout(resolve, 300));
    program.process.kill("SIGTERM");
    // For as long as a cluster may need until it sends nobody here any more.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const afterSignal = answers.filter(({ connection }) => connection === "close").length;
    elsewhere.abort();
    await Promise.all(customers);
    assert.equal(await program.ended, 0);
    assert.ok(afterSignal > 20, `${afterSignal} answers after the signal`);
    const wrong = answers.filter(({ status, text }) => status !== 200 || text !== "done");
    assert.deepEqual(wrong.slice(0, 3), []);
    const messages = program.logged().map((line) => line["message"]);
    assert.deepEqual(messages.slice(-2), ["closed", "stopped"]);
  });

  it("finishes what it has, and answers on a connection that was idle when SIGTERM came", async () => {
    await using program = example(greeting);
    const url = await program.url();
    const idle = new Agent({ keepAlive: true, maxSockets: 1 });
    await fetchOver(idle, `${url}/hello/first`);
    const slow = fetch(`${url}/slow?ms=600`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    program.process.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const late = await fetchOver(idle, `${url}/hello/late`);
    assert.deepEqual([late.status, late.connection, late.text], [200, "close", "Salaam, late"]);
    assert.equal(await (await slow).text(), "done");
    assert.equal(await program.ended, 0);
  });

  it("does not wait for what never ends: after its grace it cuts off, says so, and exits with 1", async () => {
    await using program = example(greeting);
    const url = new URL(await program.url());
    const endless = request(`${url.href}slow?ms=60000`).on("error", () => undefined);
    endless.end();
    const silent = connect(Number(url.port), "127.0.0.1").on("error", () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 150));
    program.process.kill("SIGTERM");
    assert.equal(await program.ended, 1);
    assert.equal(program.logged().at(-1)?.["complete"], false);
    silent.destroy();
  });

  it("logs an error that nobody caught and exits with 1", async () => {
    await using program = example(greeting);
    void fetch(`${await program.url()}/crash`).catch(() => undefined);
    assert.equal(await program.ended, 1);
    const last = program.logged().find((line) => line["level"] === "error");
    assert.equal((last?.["error"] as Error | undefined)?.message, "nobody caught this");
  });

  it("ends with one line that names the variable that is missing and the place that wants it", async () => {
    const cases: [Record<string, string>, string][] = [
      [{}, "test/example.ts:5   GREETING is not set; give it in env of this workload\n"],
      [{ GREETING: "" }, "test/example.ts:5   GREETING is empty; give it in env of this workload\n"],
    ];
    for (const [environment, line] of cases) {
      await using program = example(environment);
      assert.equal(await program.ended, 1);
      assert.equal(program.output(), line);
    }
  });

  it("says which port is taken", async () => {
    await using first = example(greeting);
    const { port } = new URL(await first.url());
    await using second = example({ ...greeting, PORT: port });
    assert.equal(await second.ended, 1);
    assert.match(second.output(), new RegExp(`port ${port} is taken`));
    await using third = example({ ...greeting, PORT: "http" });
    assert.equal(await third.ended, 1);
    assert.match(third.output(), /PORT is "http"; give a whole number from 0 to 65535/);
  });
});
