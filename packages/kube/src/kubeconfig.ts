import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { load } from "js-yaml";
import { kubeErrors } from "./errors.ts";
import type { Connection } from "./http-transport.ts";

/** A connection, and the namespace that its context names. */
export interface KubeconfigContext extends Connection {
  readonly context: string;
  readonly namespace: string;
}

interface Named<T> {
  readonly name: string;
  readonly value: T;
}

type Fields = Readonly<Record<string, unknown>>;

/** The kubeconfig that kubectl would use: the first of KUBECONFIG, else `~/.kube/config`. */
export function defaultKubeconfigPath(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const first = environment["KUBECONFIG"]?.split(delimiter).find((path) => path !== "");
  return first ?? join(environment["HOME"] ?? homedir(), ".kube", "config");
}

/**
 * Reads a kubeconfig (a path, or its text) and gives the connection of its current context, or of the named one. Files that it names are read; paths are relative to it. Throws a DhowError where it is incomplete or asks for
 * a credential plugin, which is not run.
 */
export function loadKubeconfig(pathOrText = defaultKubeconfigPath(), contextName?: string): KubeconfigContext {
  const isText = pathOrText.includes("\n") || pathOrText.startsWith("{");
  const config = parse(isText ? pathOrText : readFile(pathOrText));
  const folder = isText ? process.cwd() : dirname(pathOrText);
  const name = contextName ?? text(config["current-context"]) ?? "";
  const context = entry(config, "contexts", "context", name);
  const cluster = entry(config, "clusters", "cluster", text(context["cluster"]) ?? "");
  const user = context["user"] ? entry(config, "users", "user", text(context["user"]) ?? "") : {};
  return {
    context: name,
    namespace: text(context["namespace"]) ?? "default",
    ...clusterPart(cluster, folder),
    ...userPart(user, folder),
  };
}

function clusterPart(cluster: Fields, folder: string): Connection {
  const server = text(cluster["server"]);
  if (!server) throw kubeErrors.kubeconfigInvalid("names a cluster without a server", "add server: https://…");
  const ca = material(cluster, "certificate-authority", folder);
  const serverName = text(cluster["tls-server-name"]);
  return {
    server,
    ...(ca ? { ca } : {}),
    ...(serverName ? { serverName } : {}),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecure: true } : {}),
  };
}

function userPart(user: Fields, folder: string): Omit<Connection, "server"> {
  if (user["exec"] || user["auth-provider"]) {
    throw kubeErrors.kubeconfigInvalid(
      "asks for a credential plugin, which is not run",
      "use a user with a token or a client certificate",
    );
  }
  const clientCertificate = material(user, "client-certificate", folder);
  const clientKey = material(user, "client-key", folder);
  const tokenFile = text(user["tokenFile"]);
  const token = text(user["token"]) ?? (tokenFile && readFile(resolve(folder, tokenFile)).trim());
  return {
    ...(clientCertificate ? { clientCertificate } : {}),
    ...(clientKey ? { clientKey } : {}),
    ...(token ? { token } : {}),
  };
}

/** The bytes of `<field>-data` (base64), else of the file that `<field>` names. */
function material(from: Fields, field: string, folder: string): string | undefined {
  const data = text(from[`${field}-data`]);
  if (data) return Buffer.from(data, "base64").toString("utf8");
  const path = text(from[field]);
  return path ? readFile(resolve(folder, path)) : undefined;
}

function entry(config: Fields, list: string, field: string, name: string): Fields {
  const entries = Array.isArray(config[list]) ? (config[list] as Fields[]) : [];
  const named: Named<unknown>[] = entries.map((one) => ({ name: text(one["name"]) ?? "", value: one[field] }));
  const found = named.find((one) => one.name === name);
  if (found && typeof found.value === "object" && found.value !== null) return found.value as Fields;
  const known = named.map((one) => one.name).join(", ") || "none";
  throw kubeErrors.kubeconfigInvalid(`has no ${field} ${JSON.stringify(name)}`, `use one of its ${list}: ${known}`);
}

function parse(source: string): Fields {
  try {
    const config = load(source);
    if (typeof config === "object" && config !== null) return config as Fields;
  } catch (cause) {
    throw kubeErrors.kubeconfigInvalid("is not YAML", "see `kubectl config view`", cause);
  }
  throw kubeErrors.kubeconfigInvalid("is empty", "see `kubectl config view`");
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw kubeErrors.kubeconfigUnreadable(path, cause);
  }
}

function resolve(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
