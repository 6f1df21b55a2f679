import {
  badRequest,
  type FieldFault,
  fieldFault,
  type HttpResponse,
  internalError,
  invalid,
  StatusError,
} from "@dhow/kube";
import type { SpecialHandler } from "../../http/handler.ts";
import { integerOf } from "../../registry/query.ts";
import type { Store } from "../../store.ts";
import { dial, type DialKubelet, exchange, readAnswer } from "./kubelet.ts";
import { containerOf, podOf } from "./pod-target.ts";

const options = ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes"];

/** `GET pods/x/log`: what a container wrote, from its kubelet's `/containerLogs`. */
export function logHandler(store: Store, dialKubelet: DialKubelet): SpecialHandler {
  return async ({ call }): Promise<HttpResponse> => {
    const faults = optionFaults(call.query);
    const pod = podOf(store, call);
    if (faults.length > 0) throw invalid("", "PodLogOptions", call.name, faults);
    const container = containerOf(pod, call.query.get("container") ?? "");
    const node = pod.spec?.nodeName;
    // A pod that runs nowhere yet has written nothing.
    if (!node) return { status: 204, headers: {}, body: "" };
    const query = new URLSearchParams();
    for (const name of options) {
      const value = call.query.get(name);
      if (value !== null && value !== "") query.set(name, value);
    }
    const place = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}`;
    const path = query.size > 0 ? `${place}?${query.toString()}` : place;
    const response = await exchange(await dial(dialKubelet, node), { method: "GET", path, signal: call.signal() });
    await checkAnswer(response, call.name);
    return { ...response, headers: { "content-type": response.headers["content-type"] ?? "text/plain" } };
  };
}

/** pkg/apis/core/validation ValidatePodLogOptions. */
function optionFaults(query: URLSearchParams): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [field, least] of [
    ["tailLines", 0],
    ["limitBytes", 1],
    ["sinceSeconds", 1],
  ] as const) {
    const value = integerOf(query, field);
    if (value === undefined || value >= least) continue;
    const rule = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
    faults.push(fieldFault.invalid(field, value, rule));
  }
  if (query.get("sinceSeconds") && query.get("sinceTime")) {
    faults.push(fieldFault.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  }
  // PodLogsQuerySplitStreams is off: a stream of its own cannot be asked for.
  if (query.get("stream")) faults.push(fieldFault.forbidden("stream", "may not be specified"));
  return faults;
}

/** The kubelet's refusals become the API's (registry/generic/rest/response_checker.go). */
async function checkAnswer(response: HttpResponse, name: string): Promise<void> {
  if (response.status >= 200 && response.status < 300) return;
  const message = (await readAnswer(response, 10_000)).trim();
  if (response.status === 400) throw badRequest(message);
  if (response.status === 500) throw internalError(message);
  throw new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `the server could not find the requested resource ( pods/log ${name})`,
    reason: response.status === 404 ? "NotFound" : "Unknown",
    details: { name, kind: "pods/log" },
    code: response.status,
  });
}
