import type { IncomingMessage } from "node:http";
import { get as getSecurely } from "node:https";
import { http } from "@dhow/base/http";
import type { HTTPGetAction } from "@dhow/kube";
import { dialError, failure, type ProbeOutcome, success } from "./probe-outcome.ts";

/** What of a body is read at most (pkg/probe/http/http.go). */
const maximumBody = 10 << 10;
const maximumRedirects = 10;
const timedOut = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

interface Target {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request that an httpGet action stands for. */
export function httpTarget(action: HTTPGetAction, address: string, port: number): Target {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = action.path ?? "/";
  const url = new URL(`${scheme}://${action.host || address}:${port}${path.startsWith("/") ? path : `/${path}`}`);
  const headers: Record<string, string> = { "user-agent": "kube-probe/1.36", accept: "*/*", connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) {
    if (value === "" && ["user-agent", "accept"].includes(name.toLowerCase())) delete headers[name.toLowerCase()];
    else headers[name.toLowerCase()] = value;
  }
  return { url, headers };
}

/** 200 to 399 is well; redirects are followed on the same host, and elsewhere count as well too (pkg/probe/http/http.go). */
export async function httpProbe(target: Target, timeoutSeconds: number): Promise<ProbeOutcome> {
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  let url = target.url;
  for (let redirects = 0; redirects <= maximumRedirects; redirects++) {
    let response: IncomingMessage;
    try {
      response = await request(url, target.headers, signal);
    } catch (error) {
      const why = signal.aborted ? timedOut : dialError(error, `${url.hostname}:${url.port}`);
      return failure(`Get "${url.href}": ${why}`);
    }
    await drain(response, signal);
    const status = response.statusCode ?? 0;
    const location = status >= 300 && status < 400 ? response.headers.location : undefined;
    if (!location) {
      return status >= 200 && status < 400 ? success : failure(`HTTP probe failed with statuscode: ${status}`);
    }
    const next = new URL(location, url);
    if (next.hostname !== target.url.hostname) return success;
    url = next;
  }
  return failure(`Get "${url.href}": stopped after ${maximumRedirects} redirects`);
}

function request(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers: { ...headers }, signal, agent: false as const };
    const sent =
      url.protocol === "https:"
        ? getSecurely(url, { ...options, rejectUnauthorized: false }, resolve)
        : http.get(url, { ...options, agent: new http.Agent({ keepAlive: false }) }, resolve);
    sent.on("error", reject);
  });
}

async function drain(response: IncomingMessage, signal: AbortSignal): Promise<void> {
  let length = 0;
  response.on("error", () => undefined);
  try {
    for await (const piece of response) {
      length += (piece as Buffer).length;
      if (length > maximumBody || signal.aborted) break;
    }
  } catch {
    // What was answered in the head counts.
  }
  response.destroy();
}
