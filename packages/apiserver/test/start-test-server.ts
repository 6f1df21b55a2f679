import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ApiServer, type ApiServerOptions, createApiServer, httpListeners } from "@dhow/apiserver";
import { temporaryFolder } from "@dhow/testkit";
import { selfSigned } from "./self-signed.ts";

export interface TestServer extends AsyncDisposable {
  readonly api: ApiServer;
  /** `https://127.0.0.1:port` */
  readonly url: string;
  readonly token: string;
  readonly certificate: string;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly folder: string;
}

/** An API server that listens with TLS on a loopback port; `await using server = await startTestServer()` ends it with the block. */
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const folder = temporaryFolder();
  const token = "test-administrator";
  const { certificate, key } = selfSigned();
  const api = await createApiServer({
    folder: folder.path,
    tokens: [{ token, user: { name: "admin", groups: ["system:masters", "system:authenticated"] } }],
    ...options,
  });
  const listeners = httpListeners(api);
  const server = createServer({ cert: certificate, key }, listeners.request);
  server.on("upgrade", listeners.upgrade);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(folder.path, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigText(url, certificate, token), { mode: 0o600 });
  return {
    api,
    url,
    token,
    certificate,
    kubeconfig,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      await api.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      folder[Symbol.dispose]();
    },
  };
}

function kubeconfigText(server: string, certificate: string, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      {
        name: "test",
        cluster: { server, "certificate-authority-data": Buffer.from(certificate).toString("base64") },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  });
}
