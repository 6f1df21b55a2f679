import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import {
  type ApiServer,
  type ApiServerOptions,
  createApiServer,
  httpListeners,
  httpServerOptions,
} from "@dhow/apiserver";
import { RecordingReporter, temporaryFolder } from "@dhow/testkit";

export interface RawTestServer extends AsyncDisposable {
  readonly api: ApiServer;
  readonly token: string;
  readonly reporter: RecordingReporter;
  dial(): Promise<Duplex>;
}

/** An API server behind HTTP on a Unix socket, without TLS, for tests that send bytes of their own. */
export async function startRawServer(options: Partial<ApiServerOptions> = {}): Promise<RawTestServer> {
  const folder = temporaryFolder();
  const token = "test-administrator";
  const reporter = new RecordingReporter();
  const user = { name: "admin", groups: ["system:masters", "system:authenticated"] };
  const api = await createApiServer({ reporter, tokens: [{ token, user }], ...options });
  const listeners = httpListeners(api);
  const server = createServer(httpServerOptions, listeners.request);
  server.on("upgrade", listeners.upgrade);
  server.on("connect", listeners.connect);
  server.on("clientError", listeners.clientError);
  const path = join(folder.path, "api.sock");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    api,
    token,
    reporter,
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect(path);
        socket.once("error", reject);
        socket.once("connect", () => {
          socket.off("error", reject);
          resolve(socket);
        });
      }),
    async [Symbol.asyncDispose]() {
      await api.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      folder[Symbol.dispose]();
    },
  };
}
