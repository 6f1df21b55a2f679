import { writeIfOther } from "./write-if-other.ts";

/** Writes a kubeconfig, readable by its owner only. */
export function writeKubeconfig(
  path: string,
  options: { name: string; server: string; ca: string; token: string; namespace: string },
): void {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": options.name,
    clusters: [
      {
        name: options.name,
        cluster: { server: options.server, "certificate-authority-data": Buffer.from(options.ca).toString("base64") },
      },
    ],
    users: [{ name: options.name, user: { token: options.token } }],
    contexts: [
      { name: options.name, context: { cluster: options.name, user: options.name, namespace: options.namespace } },
    ],
  };
  // JSON is YAML, and kubectl reads either.
  writeIfOther(path, `${JSON.stringify(config, null, 2)}\n`, 0o600);
}
