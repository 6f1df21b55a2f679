import { hash } from "node:crypto";
import { unauthorized } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

/** Whom the certificate that a client proved to hold is about. */
export interface ClientCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Of the whole certificate, in hexadecimal. */
  readonly sha256: string;
}

/** What of a request says who sent it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly connection: {
    /** `refused` where one was shown that is nobody's: of another authority, out of its time, for something else, without a name. */
    readonly clientCertificate?: ClientCertificate | "refused" | undefined;
    /** Set by callers in the same process only. */
    readonly user?: UserInfo | undefined;
  };
}

export interface AuthenticatorOptions {
  readonly tokens: readonly StaticToken[];
  readonly serviceAccounts: ServiceAccountTokens | undefined;
}

const authenticatedGroup = "system:authenticated";
const unauthenticatedGroup = "system:unauthenticated";

export const anonymous: UserInfo = { name: "system:anonymous", groups: [unauthenticatedGroup] };

/** Finds out who sends a request: a caller in the process, a client certificate, a static token, a service account's token, or nobody. */
export class Authenticator {
  readonly #serviceAccounts: ServiceAccountTokens | undefined;
  /** By the token's hash: comparing hashes says nothing about how much of a guess was right. */
  readonly #tokens: ReadonlyMap<string, UserInfo>;
  /** What has been shown on a connection before, and is good for as long as the server runs: whoever sends it again there need not prove it again. */
  readonly #proven = new WeakMap<Credentials["connection"], { authorization: string; user: UserInfo }>();

  constructor(options: AuthenticatorOptions) {
    this.#serviceAccounts = options.serviceAccounts;
    this.#tokens = new Map(options.tokens.map(({ token, user }) => [digest(token), user]));
  }

  /**
   * Throws Unauthorized when what was shown is not good; nothing shown is anonymous. One good proof is enough
   * (apiserver/pkg/authentication/request/union).
   */
  async authenticate({ connection, headers }: Credentials): Promise<UserInfo> {
    if (connection.user) return withGroup(connection.user);
    const proven = this.#proven.get(connection);
    if (proven && headers["authorization"] === proven.authorization && headers["upgrade"] === undefined)
      return proven.user;
    const certificate = connection.clientCertificate;
    if (typeof certificate === "object") return withGroup(userOf(certificate));
    const token = bearerToken(headers);
    if (token === undefined && certificate === undefined) return anonymous;
    const lasting = token === undefined ? undefined : this.#ofStaticToken(token);
    if (lasting) return this.#remember(connection, headers, lasting);
    const user = token === undefined ? undefined : await this.userOfToken(token);
    if (!user) throw unauthorized();
    return user.user;
  }

  /** Whose token it is, and for which of the audiences; undefined when it is nobody's. */
  async userOfToken(
    token: string,
    audiences?: readonly string[],
  ): Promise<{ user: UserInfo; audiences: readonly string[] } | undefined> {
    const user = this.#ofStaticToken(token);
    if (user) return { user, audiences: audiences ?? [] };
    try {
      return await this.#serviceAccounts?.verify(token, audiences?.length ? audiences : undefined);
    } catch {
      return undefined;
    }
  }

  #ofStaticToken(token: string): UserInfo | undefined {
    const known = this.#tokens.get(digest(token));
    return known && withGroup(known);
  }

  #remember(connection: Credentials["connection"], headers: Credentials["headers"], user: UserInfo): UserInfo {
    const { authorization, upgrade } = headers;
    // A token may stand elsewhere where a connection is to become a WebSocket.
    if (authorization !== undefined && upgrade === undefined) this.#proven.set(connection, { authorization, user });
    return user;
  }
}

function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  const upgrades = /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers["connection"] ?? "");
  const isWebSocket = upgrades && headers["upgrade"]?.toLowerCase() === "websocket";
  const protocol = (isWebSocket ? headers["sec-websocket-protocol"] : undefined) ?? "";
  // Browsers cannot set headers on a WebSocket (apiserver/pkg/authentication/request/websocket/protocol.go).
  const [, inProtocol] = /(?:^|,\s*)base64url\.bearer\.authorization\.k8s\.io\.([^,\s]+)/.exec(protocol) ?? [];
  if (inProtocol) return Buffer.from(inProtocol, "base64url").toString();
  const [scheme = "", token = ""] = (headers["authorization"] ?? "").trim().split(" ");
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

/** CommonNameUserConversion in apiserver/pkg/authentication/request/x509. */
function userOf({ commonName, organizations, sha256 }: ClientCertificate): UserInfo {
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${sha256}`] };
  return { name: commonName, groups: organizations, extra };
}

/** AuthenticatedGroupAdder in apiserver/pkg/authentication/group. */
function withGroup(user: UserInfo): UserInfo {
  if (user.name === anonymous.name) return user;
  if ([authenticatedGroup, unauthenticatedGroup].some((group) => user.groups.includes(group))) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}

function digest(text: string): string {
  return hash("sha256", text);
}
