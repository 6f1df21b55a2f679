import { hash } from "node:crypto";
import { unauthorized } from "@dhow/kube";
import type { UserInfo } from "../admission.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

/** What of a request says who sent it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly connection: {
    readonly clientCertificate?: { readonly commonName: string; readonly organizations: readonly string[] } | undefined;
    /** Set by callers in the same process only. */
    readonly user?: UserInfo | undefined;
  };
}

export interface AuthenticatorOptions {
  readonly tokens: readonly StaticToken[];
  readonly serviceAccounts: ServiceAccountTokens | undefined;
}

const authenticatedGroup = "system:authenticated";

export const anonymous: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Finds out who sends a request: a caller in the process, a client certificate, a static token, a service account's token, or nobody. */
export class Authenticator {
  readonly #serviceAccounts: ServiceAccountTokens | undefined;
  /** By the token's hash: comparing hashes says nothing about how much of a guess was right. */
  readonly #tokens: ReadonlyMap<string, UserInfo>;

  constructor(options: AuthenticatorOptions) {
    this.#serviceAccounts = options.serviceAccounts;
    this.#tokens = new Map(options.tokens.map(({ token, user }) => [digest(token), user]));
  }

  /** Throws Unauthorized when what was shown is not good; nothing shown is anonymous. */
  async authenticate({ connection, headers }: Credentials): Promise<UserInfo> {
    if (connection.user) return withGroup(connection.user);
    const certificate = connection.clientCertificate;
    if (certificate?.commonName) return withGroup({ name: certificate.commonName, groups: certificate.organizations });
    const token = bearerToken(headers);
    if (token === undefined) return anonymous;
    const user = await this.userOfToken(token);
    if (!user) throw unauthorized();
    return user.user;
  }

  /** Whose token it is, and for which of the audiences; undefined when it is nobody's. */
  async userOfToken(
    token: string,
    audiences?: readonly string[],
  ): Promise<{ user: UserInfo; audiences: readonly string[] } | undefined> {
    const known = this.#tokens.get(digest(token));
    if (known) return { user: withGroup(known), audiences: audiences ?? [] };
    try {
      return await this.#serviceAccounts?.verify(token, audiences?.length ? audiences : undefined);
    } catch {
      return undefined;
    }
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

function withGroup(user: UserInfo): UserInfo {
  if (user.name === anonymous.name || user.groups.includes(authenticatedGroup)) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}

function digest(text: string): string {
  return hash("sha256", text);
}
