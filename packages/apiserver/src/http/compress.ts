import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { HttpResponse } from "@dhow/kube";

/** Smaller answers are not worth the time (apiserver/pkg/endpoints/handlers/responsewriters/writers.go: defaultGzipThresholdBytes, level). */
const threshold = 128 * 1024;
const compress = promisify(gzip);

/** Compresses large whole answers for clients that accept it. */
export async function compressed(response: HttpResponse, acceptEncoding: string | undefined): Promise<HttpResponse> {
  const { body, headers } = response;
  const whole = typeof body === "string" || body instanceof Uint8Array;
  if (!whole || body.length < threshold || !/\bgzip\b/.test(acceptEncoding ?? "")) return response;
  return {
    ...response,
    headers: { ...headers, "content-encoding": "gzip", vary: "Accept-Encoding" },
    body: await compress(body, { level: 4 }),
  };
}
