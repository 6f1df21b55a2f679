import { connect, createServer } from "node:net";
import { messageOf, type Reporter } from "@dhow/base";

export interface ApiRelayOptions {
  /** The `kubernetes` Service's own, such as 10.96.0.1, and its port. */
  readonly address: string;
  readonly port?: number;
  /** Where the API server listens with TLS: the one way from this world to it. */
  readonly socketPath: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Lets pods reach the API server at the address that every cluster has for it. TLS passes through. */
export async function startApiRelay({
  address,
  port = 443,
  socketPath,
  reporter,
  signal,
}: ApiRelayOptions): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (pod) => {
    const control = connect({ path: socketPath, allowHalfOpen: true });
    pod.pipe(control).pipe(pod);
    pod.on("error", () => control.destroy());
    pod.on("close", () => control.destroy());
    control.on("error", () => pod.resetAndDestroy());
    control.on("close", () => pod.destroySoon());
  });
  server.on("error", (error) =>
    reporter.report({ kind: "network.failed", level: "error", subject: "kubernetes", message: messageOf(error) }),
  );
  signal.addEventListener("abort", () => server.close(), { once: true });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
}
