import type { ClientRequest, ClientRequestArgs, IncomingMessage } from "node:http";
import { request as requestSecurely } from "node:https";
import { connect, type Socket } from "node:net";
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
  const exchange: Exchange = { headers: target.headers, over: false, sent: undefined };
  const timer = setTimeout(() => {
    exchange.over = true;
    exchange.sent?.destroy(new Error(timedOut));
  }, timeoutSeconds * 1000);
  try {
    return await follow(target.url, exchange);
  } finally {
    clearTimeout(timer);
  }
}

/** One attempt: the request that is under way, and whether its time is over. */
interface Exchange {
  readonly headers: Target["headers"];
  over: boolean;
  sent: ClientRequest | undefined;
}

async function follow(first: URL, exchange: Exchange): Promise<ProbeOutcome> {
  let url = first;
  for (let redirects = 0; redirects <= maximumRedirects; redirects++) {
    let response: IncomingMessage;
    try {
      response = await request(url, exchange);
    } catch (error) {
      const why = exchange.over ? timedOut : dialError(error, `${url.hostname}:${url.port}`);
      return failure(`Get "${url.href}": ${why}`);
    }
    const status = response.statusCode ?? 0;
    const location = status >= 300 && status < 400 ? response.headers.location : undefined;
    if (!location) {
      return status >= 200 && status < 400 ? success : failure(`HTTP probe failed with statuscode: ${status}`);
    }
    const next = new URL(location, url);
    if (next.hostname !== first.hostname) return success;
    url = next;
  }
  return failure(`Get "${first.href}": stopped after ${maximumRedirects} redirects`);
}

/** Resolves when the answer is read, or as much of it as anybody reads; where its body breaks off, what was answered in the head counts. */
function request(url: URL, exchange: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (exchange.over) return reject(new Error(timedOut));
    const { headers } = exchange;
    const answered = (response: IncomingMessage) => {
      sent.off("error", reject).on("error", () => undefined);
      let length = 0;
      response.on("data", (piece: Buffer) => {
        length += piece.length;
        if (length > maximumBody) sent.destroy();
      });
      response.on("error", () => undefined);
      response.on("close", () => resolve(response));
    };
    const sent =
      url.protocol === "https:"
        ? requestSecurely(url, { headers, agent: false, rejectUnauthorized: false }, answered)
        : // A probe a second for hours: an agent, for one request each, would cost as much again.
          http.request(url, { headers, createConnection: plainConnection }, answered);
    exchange.sent = sent;
    sent.on("error", reject);
    sent.end();
  });
}

function plainConnection({ host, port }: ClientRequestArgs): Socket {
  return connect({ host: host ?? "", port: Number(port) });
}
