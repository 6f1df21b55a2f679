export { FakeClock } from "./fake-clock.ts";
export { HeldCollection } from "./held-collection.ts";
export { golden } from "./golden.ts";
export { RecordingReporter } from "./recording-reporter.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { eventually } from "./eventually.ts";
export { realKubernetes } from "./real-kubernetes.ts";
export { startPostgres, type TestPostgres } from "./postgres.ts";
export { parseAnswer, type RawAnswer, rawExchange, rawRequest, type RawRequest } from "./raw-http.ts";
