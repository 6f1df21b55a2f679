export { controllerNames, startControllers } from "./start.ts";
export type { ControllerOptions } from "./options.ts";
