import type { IncomingHttpHeaders } from "node:http";
import type { CanarySettings } from "./annotations.ts";
import type { BackendRef, Route } from "./routes.ts";

/** The Service for one request: the header decides before the cookie, the cookie before the weight, as in ingress-nginx. `random` is in [0, 1). */
export function chooseBackend(
  route: Route,
  headers: IncomingHttpHeaders,
  random: () => number,
): BackendRef | undefined {
  for (const { backend, settings } of route.canaries) {
    if (settings.canary && goesToCanary(settings.canary, headers, random)) return backend;
  }
  return route.backend;
}

function goesToCanary(canary: CanarySettings, headers: IncomingHttpHeaders, random: () => number): boolean {
  const decided = byHeader(canary, headers) ?? byCookie(canary, headers.cookie);
  return decided ?? random() * canary.weightTotal < canary.weight;
}

function byHeader(canary: CanarySettings, headers: IncomingHttpHeaders): boolean | undefined {
  const value = canary.header === undefined ? undefined : headers[canary.header];
  if (typeof value !== "string") return undefined;
  if (canary.headerValue !== undefined) return value === canary.headerValue ? true : undefined;
  if (canary.headerPattern !== undefined) return canary.headerPattern.test(value) ? true : undefined;
  return alwaysOrNever(value);
}

function byCookie({ cookie }: CanarySettings, header: string | undefined): boolean | undefined {
  if (cookie === undefined || header === undefined) return undefined;
  const pairs = header.split(";").map((pair) => pair.trim().split("="));
  return alwaysOrNever(pairs.find(([name]) => name === cookie)?.[1]);
}

function alwaysOrNever(value: string | undefined): boolean | undefined {
  if (value === "always") return true;
  return value === "never" ? false : undefined;
}
