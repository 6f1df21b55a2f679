import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Clock, type Reporter, systemClock } from "@dhow/base";
import type { HttpRequest, HttpResponse } from "@dhow/kube";
import type { UserInfo } from "./admission.ts";
import { assemble, defaultServiceCidr } from "./assemble.ts";
import type { Credentials } from "./authentication/authenticator.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import { Handler } from "./http/handler.ts";
import { memoryJournal } from "./storage/journal.ts";
import { openSqliteJournal } from "./storage/sqlite-journal.ts";
import { Storage } from "./storage/storage.ts";

/** A request with what is known of who sends it. */
export interface ApiRequest extends HttpRequest {
  readonly connection: {
    readonly remoteAddress: string;
    /** Checked by who listens. */
    readonly clientCertificate?: Credentials["connection"]["clientCertificate"];
    /** Set only by callers in the same process, who are believed. */
    readonly user?: UserInfo;
  };
}

export interface ApiServerOptions {
  /** Where the store lives; without it everything is forgotten at the end. */
  readonly folder?: string;
  readonly clock?: Clock;
  readonly reporter?: Reporter;
  readonly serviceCidr?: string;
  readonly nodePortRange?: readonly [number, number];
  /** PEM of the cluster's certificate authority. */
  readonly certificateAuthority?: string;
  readonly serviceAccountKey?: string;
  readonly tokens?: readonly { readonly token: string; readonly user: UserInfo }[];
  /** Reaches the HTTP interface of a node's kubelet. */
  readonly dialKubelet?: (nodeName: string) => Promise<Duplex>;
  /** Whether endpoints may be in the loopback range, which Kubernetes refuses: pods that are plain processes are nowhere else. Asked at each write. */
  readonly loopbackEndpoints?: () => boolean;
  /** How long old versions of objects are remembered, for watches and lists of the past: 5 min, as `--etcd-compaction-interval`. */
  readonly compactionMilliseconds?: number;
  /** Where clients in the cluster find the API. */
  readonly advertise?: { readonly address: string; readonly port: number };
}

export interface ApiServer {
  handle(request: ApiRequest): Promise<HttpResponse>;
  /** Takes over a connection that asked to become something else (exec, attach, port-forward). */
  upgrade(request: ApiRequest, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

const fiveMinutes = 5 * 60_000;

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const clock = options.clock ?? systemClock;
  const storage = new Storage(options.folder ? openSqliteJournal(join(options.folder, "store")) : memoryJournal());
  const parts = assemble(storage, clock, options);
  await bootstrap(parts.registry.store, {
    serviceCidr: options.serviceCidr ?? defaultServiceCidr,
    advertise: options.advertise ?? { address: "127.0.0.1", port: 6443 },
    certificateAuthority: options.certificateAuthority ?? "",
  });
  const handler = new Handler(parts);
  const stopCompaction = every(clock, options.compactionMilliseconds ?? fiveMinutes, () => storage.compact());
  return {
    handle: (request) => handler.handle(request),
    upgrade: (request, socket, head) => handler.upgrade(request, socket, head),
    close: async () => {
      stopCompaction();
      storage.close();
    },
  };
}

function every(clock: Clock, milliseconds: number, action: () => void): () => void {
  let cancel: () => void;
  const arm = () => {
    cancel = clock.after(milliseconds, () => {
      action();
      arm();
    });
  };
  arm();
  return () => cancel();
}
