import { missingPrograms } from "@dhow/node/programs";
import { clusterError } from "../errors.ts";

/** Says everything that is missing on this machine at once, with the line that installs it. Linux only: elsewhere pods are plain processes. */
export function checkRequirements(): void {
  const missing = process.platform === "linux" ? missingPrograms() : [];
  if (missing.length === 0) return;
  const packages = new Set(missing.map((program) => program.package));
  throw clusterError("CLUSTER_REQUIREMENTS_MISSING", {
    message: `this machine has no ${missing.map((program) => program.name).join(", ")}`,
    instead: `sudo apt-get install -y ${[...packages].join(" ")}`,
  });
}
