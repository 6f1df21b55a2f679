import { writeFileSync } from "node:fs";
import { type KubeClient, loadKubeconfig, type TokenRequest } from "@dhow/kube";

export interface AccountKubeconfig {
  readonly account: { readonly namespace: string; readonly name: string };
  /** The kubeconfig that says where the cluster is and whom to trust. */
  readonly administrator: string;
  /** Where it is written. */
  readonly path: string;
}

/** Writes a kubeconfig for a service account, with a token for an hour; gives its path. */
export async function writeAccountKubeconfig(client: KubeClient, asked: AccountKubeconfig): Promise<string> {
  const { account, administrator, path } = asked;
  const ref = { apiVersion: "v1", kind: "ServiceAccount", ...account };
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
  const { status } = await client.subresource<TokenRequest>(ref, "token", "POST", request);
  const { server, ca = "" } = loadKubeconfig(administrator);
  const { name } = account;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name, user: { token: status?.token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
