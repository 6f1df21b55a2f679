import type { HttpResponse } from "../http.ts";
import { type Status, StatusError } from "../status.ts";

/** The whole body as text. */
export async function readText(body: HttpResponse["body"]): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(typeof piece === "string" ? Buffer.from(piece) : Buffer.from(piece));
  return Buffer.concat(pieces).toString("utf8");
}

/** The parsed body of an answer below 300; the StatusError that it says otherwise. */
export async function readJson(response: HttpResponse): Promise<unknown> {
  if (response.value && response.status < 300) return response.value;
  const text = await readText(response.body);
  if (response.status >= 300) throw failureOf(response, text);
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}

/** The StatusError of an answer that is not a success, whether or not its body is a Status. */
export function failureOf(response: HttpResponse, text: string): StatusError {
  const status = parseStatus(text);
  if (status) return new StatusError({ ...status, code: status.code ?? response.status });
  const retryAfter = Number(response.headers["retry-after"]);
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message:
      text.trim() || `the server responded with the status code ${response.status} but did not return more information`,
    reason: reasons[response.status] ?? "Unknown",
    ...(retryAfter > 0 ? { details: { retryAfterSeconds: retryAfter } } : {}),
    code: response.status,
  });
}

function parseStatus(text: string): Status | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const parsed = JSON.parse(text) as Status;
    return parsed.kind === "Status" ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** apimachinery/pkg/api/errors/errors.go, NewGenericServerResponse. */
const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Gone",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};
