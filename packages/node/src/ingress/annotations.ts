import type { Ingress } from "@dhow/kube";

/** What ingress-nginx' annotations say; the names are those of its documentation, the defaults those of its ConfigMap. */
export interface IngressSettings {
  readonly rewriteTarget: string | undefined;
  readonly useRegex: boolean;
  readonly appRoot: string | undefined;
  readonly sslRedirect: boolean;
  /** Also where the host has no certificate of its own. */
  readonly forceSslRedirect: boolean;
  readonly permanentRedirect: string | undefined;
  readonly upstreamHost: string | undefined;
  /** Bytes; Infinity for no limit. */
  readonly bodyLimit: number;
  /** Milliseconds without a byte of the answer. */
  readonly readTimeout: number;
  readonly canary: CanarySettings | undefined;
}

export interface CanarySettings {
  readonly header: string | undefined;
  readonly headerValue: string | undefined;
  readonly headerPattern: RegExp | undefined;
  readonly cookie: string | undefined;
  readonly weight: number;
  readonly weightTotal: number;
}

const prefix = "nginx.ingress.kubernetes.io/";

export function settingsOf(ingress: Ingress): IngressSettings {
  const annotation = (name: string) => ingress.metadata.annotations?.[prefix + name] || undefined;
  return {
    rewriteTarget: annotation("rewrite-target"),
    useRegex: annotation("use-regex") === "true",
    appRoot: annotation("app-root"),
    sslRedirect: annotation("ssl-redirect") !== "false",
    forceSslRedirect: annotation("force-ssl-redirect") === "true",
    permanentRedirect: annotation("permanent-redirect"),
    upstreamHost: annotation("upstream-vhost"),
    bodyLimit: size(annotation("proxy-body-size") ?? "1m"),
    readTimeout: Number(annotation("proxy-read-timeout") ?? 60) * 1000,
    canary: annotation("canary") === "true" ? canaryOf(annotation) : undefined,
  };
}

function canaryOf(annotation: (name: string) => string | undefined): CanarySettings {
  const pattern = annotation("canary-by-header-pattern");
  return {
    header: annotation("canary-by-header")?.toLowerCase(),
    headerValue: annotation("canary-by-header-value"),
    headerPattern: pattern === undefined ? undefined : tryPattern(pattern),
    cookie: annotation("canary-by-cookie"),
    weight: Number(annotation("canary-weight") ?? 0),
    weightTotal: Number(annotation("canary-weight-total") ?? 100),
  };
}

/** A pattern that is none matches nothing. */
export function tryPattern(pattern: string, flags = ""): RegExp | undefined {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return undefined;
  }
}

const units: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** nginx' sizes: `8m`, `512k`, 0 for no limit. */
function size(text: string): number {
  const [, digits = "1", unit = "m"] = /^(\d+)([kmg]?)$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (units[unit.toLowerCase()] ?? 1);
  return bytes === 0 ? Number.POSITIVE_INFINITY : bytes;
}
