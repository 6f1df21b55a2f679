export { controllerNames, type RunningControllers, startControllers } from "./start.ts";
export type { ControllerOptions } from "./options.ts";
