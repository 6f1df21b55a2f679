import { badRequest, notAcceptable, quote, StatusError } from "@dhow/kube";

/** How an answer is to be written. */
export interface Negotiated {
  readonly format: "json" | "yaml";
  /** What objects are turned into before they are written. */
  readonly as: "object" | "table" | "metadata";
  readonly includeObject: "None" | "Metadata" | "Object";
  readonly pretty: boolean;
}

/** What a real server lists; protobuf is read, but never written. */
const mediaTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** What it lists besides where a watch could have been asked for. */
const streamTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

interface Accepted {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const plain: Negotiated = { format: "json", as: "object", includeObject: "Metadata", pretty: false };

/**
 * Picks the first wish of `Accept` that can be kept (apiserver/pkg/endpoints/handlers/negotiation/negotiate.go).
 * @param list whether the answer is a list or a watch of many.
 */
export function negotiate(accept: string | undefined, query: URLSearchParams, list: boolean): Negotiated {
  const pretty = query.get("pretty") === "true" || query.get("pretty") === "1";
  if (!accept || accept === "*/*" || accept === "application/json") return pretty ? { ...plain, pretty } : plain;
  let refusedTransform = false;
  for (const { type, parameters } of parseAccept(accept)) {
    const format = formatOf(type);
    if (!format) continue;
    const as = transformOf(parameters, list);
    if (as === undefined) {
      refusedTransform = true;
      continue;
    }
    return { format, as, pretty, includeObject: as === "table" ? includeObject(query) : "Metadata" };
  }
  if (refusedTransform) throw onlyThese();
  throw notAcceptable(list ? [...mediaTypes, ...streamTypes] : mediaTypes);
}

function onlyThese(): StatusError {
  const message = `only the following media types are accepted: ${mediaTypes.join(", ")}`;
  const status = notAcceptable(mediaTypes).status;
  return new StatusError({
    kind: status.kind,
    apiVersion: status.apiVersion,
    metadata: {},
    status: "Failure",
    message,
    reason: "NotAcceptable",
    code: 406,
  });
}

function parseAccept(accept: string): Accepted[] {
  const all = accept.split(",").map((part): Accepted => {
    const [type = "", ...words] = part.split(";").map((word) => word.trim());
    const parameters = new Map<string, string>();
    for (const word of words) {
      const [name = "", value = ""] = word.split("=");
      parameters.set(name.trim(), value.trim());
    }
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get("q") ?? 1) };
  });
  return all.sort((a, b) => b.quality - a.quality);
}

function formatOf(type: string): "json" | "yaml" | undefined {
  if (type === "application/json" || type === "*/*" || type === "application/*") return "json";
  if (type === "application/yaml") return "yaml";
  return undefined;
}

/** Undefined: a transformation that there is none of. */
function transformOf(parameters: ReadonlyMap<string, string>, list: boolean): Negotiated["as"] | undefined {
  const as = parameters.get("as");
  if (!as) return "object";
  if (parameters.get("g") !== "meta.k8s.io") return undefined;
  const version = parameters.get("v");
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "Table") return "table";
  if (as === "PartialObjectMetadata" || (as === "PartialObjectMetadataList" && list)) return "metadata";
  return undefined;
}

function includeObject(query: URLSearchParams): Negotiated["includeObject"] {
  const wanted = query.get("includeObject") ?? "";
  if (wanted === "" || wanted === "Metadata") return "Metadata";
  if (wanted === "None" || wanted === "Object") return wanted;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${quote(wanted)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}
