export { applyObjects, fieldManager } from "./apply.ts";
export { diagnose, type Diagnosis, type DiagnosisScope } from "./diagnose.ts";
export { watchWorkloads, type WorkloadProgress, type WorkloadWatch } from "./workloads.ts";
