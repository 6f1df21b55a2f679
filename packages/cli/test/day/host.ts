// Runs a system as `dhow up` does, with a past so short that a day's end can be waited for. One line of JSON a report.
import { systemClock } from "@dhow/base";
import { loadSystem, runSystem } from "@dhow/development";

const [folder = ".", port = "0"] = process.argv.slice(2);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
await runSystem({
  loaded: await loadSystem(folder, "development"),
  port: Number(port),
  detached: false,
  retention: { compactionMilliseconds: 1_000, eventTtlMilliseconds: 4_000 },
  reporter: { report: ({ kind, subject, message }) => console.log(JSON.stringify({ kind, subject, message })) },
  clock: systemClock,
  signal: stop.signal,
});
