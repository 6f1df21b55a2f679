import type { TLSSocket } from "node:tls";
import type { IncomingMessage } from "node:http";
import type { Clock } from "@dhow/base";
import type { KubeClient, SubjectAccessReview, TokenReview } from "@dhow/kube";
import { RequestError } from "./targets.ts";

/** Who asks, as the API server names whoever it knows. */
interface User {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Remembered for as long as a kubelet does (pkg/kubelet/apis/config/v1beta1/defaults.go), in milliseconds. */
const remembered = { user: 120_000, allowed: 300_000, refused: 30_000 };
const mostRemembered = 1_000;

/**
 * Who may use a node's kubelet: client certificates of the cluster's authority and tokens that the API server knows, and of those
 * whom the API server allows it (authentication and authorization by webhook, pkg/kubelet/server/auth.go). Nobody is anonymous.
 */
export class KubeletAccess {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #users = new Map<string, { readonly user: User | undefined; readonly until: number }>();
  readonly #allowed = new Map<string, { readonly allowed: boolean; readonly until: number }>();

  constructor(client: KubeClient, clock: Clock, node: string) {
    this.#client = client;
    this.#clock = clock;
    this.#node = node;
  }

  /** Throws a RequestError where the request may not be answered. */
  async check(request: IncomingMessage): Promise<void> {
    const user = certified(request.socket as TLSSocket) ?? (await this.#bearer(request));
    if (!user) throw new RequestError(401, "Unauthorized");
    const verb = verbs[request.method ?? ""] ?? "";
    const subresources = subresourcesOf(new URL(request.url ?? "/", "https://kubelet").pathname);
    for (const subresource of subresources) if (await this.#mayUse(user, verb, subresource)) return;
    const what = `verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}]`;
    throw new RequestError(403, `Forbidden (user=${user.username}, ${what})`);
  }

  async #bearer({ headers }: IncomingMessage): Promise<User | undefined> {
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
    if (!token) return undefined;
    const known = this.#users.get(token);
    if (known && known.until > this.#clock.now()) return known.user;
    const review = await this.#client.create<TokenReview>({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      metadata: {},
      spec: { token },
    });
    const user = review.status?.authenticated ? userOf(review) : undefined;
    remember(this.#users, token, { user, until: this.#clock.now() + remembered.user });
    return user;
  }

  async #mayUse(user: User, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([user, verb, subresource]);
    const known = this.#allowed.get(key);
    if (known && known.until > this.#clock.now()) return known.allowed;
    const { username, groups, uid, extra } = user;
    const review = await this.#client.create<SubjectAccessReview>({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      metadata: {},
      spec: {
        user: username,
        groups: [...groups],
        ...(uid ? { uid } : {}),
        ...(extra
          ? { extra: Object.fromEntries(Object.entries(extra).map(([name, values]) => [name, [...values]])) }
          : {}),
        resourceAttributes: { verb, version: "v1", resource: "nodes", subresource, name: this.#node },
      },
    });
    const allowed = review.status?.allowed === true;
    const until = this.#clock.now() + (allowed ? remembered.allowed : remembered.refused);
    remember(this.#allowed, key, { allowed, until });
    return allowed;
  }
}

/** The common name is the user, the organisations are the groups. Several values of one kind are a list; the last name counts. */
function certified(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const { CN, O = [] } = socket.getPeerCertificate().subject as Partial<Record<"CN" | "O", string | string[]>>;
  const username = [CN].flat().at(-1);
  return username ? { username, groups: [...[O].flat(), "system:authenticated"] } : undefined;
}

function userOf({ status }: TokenReview): User | undefined {
  const { username, groups = [], uid, extra } = status?.user ?? {};
  return username ? { username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) } : undefined;
}

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Any of them is enough: the narrow one of a path, and `proxy`, which is for everything else. */
function subresourcesOf(path: string): readonly string[] {
  const first = path.split("/")[1] ?? "";
  if (first === "stats" || first === "metrics") return [first];
  if (first === "pods" || first === "runningpods") return ["pods", "proxy"];
  if (first === "healthz") return ["healthz", "proxy"];
  return ["proxy"];
}

function remember<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.size >= mostRemembered) known.delete(known.keys().next().value ?? "");
  known.set(key, value);
}
