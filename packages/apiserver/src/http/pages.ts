import { type HttpResponse, unknownMethod } from "@dhow/kube";
import { json } from "./render.ts";

/** A request that is not about a resource. */
export interface PageRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers paths outside resources; undefined where it does not know the path. */
export type Page = (request: PageRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>;

export const versionInfo = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.3+dhow",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2026-11-20T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

export const versionPage: Page = ({ method, path }) => {
  if (path !== "/version" && path !== "/version/") return undefined;
  if (method !== "GET" && method !== "HEAD") throw unknownMethod();
  return json(200, JSON.stringify(versionInfo, undefined, 2));
};

/** Lists what there is to see. */
export function rootPage(paths: () => readonly string[]): Page {
  return ({ path }) => (path === "/" ? json(200, JSON.stringify({ paths: paths() }, undefined, 2)) : undefined);
}

export function text(status: number, body: string): HttpResponse {
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  return { status, headers, body };
}

export function notAPage(): HttpResponse {
  return text(404, "404 page not found\n");
}

/** Gives the reason why something is not well; undefined when it is. */
export type HealthCheck = () => string | undefined;

const healthPath = /^\/(healthz|livez|readyz)(?:\/([^/]+))?\/?$/;

/** `/healthz`, `/livez`, `/readyz`, each check of its own below them, `?verbose` and `?exclude=` (apiserver/pkg/server/healthz). */
export function healthPage(checks: Readonly<Record<string, HealthCheck>>): Page {
  return ({ path, query }) => {
    const [, kind, one] = healthPath.exec(path) ?? [];
    if (!kind) return undefined;
    if (one !== undefined) {
      const check = Object.hasOwn(checks, one) ? checks[one] : undefined;
      if (!check) return notAPage();
      const fault = check();
      return fault === undefined ? text(200, "ok") : text(500, `internal server error: ${fault}\n`);
    }
    return summary(kind, checks, query);
  };
}

function summary(kind: string, checks: Readonly<Record<string, HealthCheck>>, query: URLSearchParams): HttpResponse {
  const excluded = new Set(query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const [name, check] of Object.entries(checks)) {
    const fault = excluded.has(name) ? undefined : check();
    if (fault !== undefined) failed = true;
    const good = excluded.has(name) ? `[+]${name} excluded: ok` : `[+]${name} ok`;
    lines.push(fault === undefined ? good : `[-]${name} failed: ${fault}`);
  }
  const verdict = `${kind} check ${failed ? "failed" : "passed"}\n`;
  if (failed) return text(500, `${lines.join("\n")}\n${verdict}`);
  return text(200, query.has("verbose") ? `${lines.join("\n")}\n${verdict}` : "ok");
}
