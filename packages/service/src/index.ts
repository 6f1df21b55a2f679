export { numberEnvironment, optionalEnvironment, refuseConfiguration, requiredEnvironment } from "./environment.ts";
export { log, type LogFields } from "./log.ts";
export { counter, type Counter } from "./metrics.ts";
export { clientAddress, incomingOf, nameRoute, routeLabels } from "./routes.ts";
export { type FetchHandler, type RunningService, serve, type ServeOptions, startServer } from "./serve.ts";
