import type { Clock } from "@dhow/base";
import type { KubeClient, Pod } from "@dhow/kube";
import type { TokenSource } from "./projection.ts";

interface Cached {
  readonly token: string;
  readonly issued: number;
  readonly expires: number;
}

interface TokenRequest {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

const day = 86_400_000;

/** After 80 % of its life, or a day, a token is due for a new one (pkg/kubelet/token/token_manager.go). */
export function refreshAt(issued: number, expires: number): number {
  return Math.min(issued + (expires - issued) * 0.8, issued + day);
}

/** Service account tokens bound to a pod, asked of the API server and kept until they are due. */
export class TokenManager implements TokenSource {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #cache = new Map<string, Cached>();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const { uid = "", namespace = "", name = "" } = pod.metadata;
    const key = [uid, audience ?? "", expirationSeconds].join("\n");
    const cached = this.#cache.get(key);
    if (cached && this.#clock.now() < refreshAt(cached.issued, cached.expires)) return cached.token;
    const account = pod.spec.serviceAccountName || "default";
    const ref = { apiVersion: "v1", kind: "ServiceAccount", namespace, name: account };
    const answer = await this.#client.subresource<TokenRequest>(ref, "token", "POST", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    });
    const { token, expirationTimestamp } = answer.status;
    this.#cache.set(key, { token, issued: this.#clock.now(), expires: Date.parse(expirationTimestamp) });
    return token;
  }

  forget(uid: string): void {
    for (const key of this.#cache.keys()) if (key.startsWith(`${uid}\n`)) this.#cache.delete(key);
  }
}
