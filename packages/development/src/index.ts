export { type ApplyOptions, applySystem } from "./apply.ts";
export { type Address, addressesOf } from "./addresses.ts";
export { currentWorkloads } from "./current.ts";
export { developmentError, type DevelopmentErrorCode } from "./errors.ts";
export { writeImageTable } from "./image-table.ts";
export { type LoadedSystem, loadSystem, systemFile } from "./load.ts";
export { type WorkloadReport } from "./progress.ts";
export { type RunOptions, runSystem } from "./run.ts";
export { connect, forget, requireRunning, stateFolder } from "./state.ts";
