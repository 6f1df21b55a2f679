import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The folder of the real Kubernetes that may stand beside the checkout, or the reason why what needs it is skipped. `DHOW_REAL_KUBERNETES` names another place.
 */
export function realKubernetes(): { folder: string; skip: false } | { folder: undefined; skip: string } {
  const folder =
    process.env["DHOW_REAL_KUBERNETES"] ??
    fileURLToPath(new URL("../../../../shared/real-kubernetes", import.meta.url));
  if (existsSync(`${folder}/up`)) return { folder, skip: false };
  return { folder: undefined, skip: "no real Kubernetes on this machine (DHOW_REAL_KUBERNETES names its folder)" };
}
