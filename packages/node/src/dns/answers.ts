import type { Endpoint, EndpointSlice, Service } from "@dhow/kube";
import { isReady, slicesOf } from "../network/endpoints.ts";
import type { NetworkObjects } from "../network/objects.ts";
import { type DnsAnswer, type DnsRecord, empty, nothing, type QuestionType } from "./records.ts";

export type DnsObjects = Pick<NetworkObjects, "services" | "endpointSlices" | "namespaces">;

/**
 * What the cluster's DNS knows about a name: undefined where it is not the cluster's to know. Follows the Kubernetes DNS specification
 * 1.1.0 (github.com/kubernetes/dns/blob/master/docs/specification.md), with CoreDNS' "insecure" pod names.
 */
export function answer(
  name: string,
  type: QuestionType,
  objects: DnsObjects,
  domain: string,
  depth = mostAliases,
): DnsAnswer | undefined {
  const asked = name.toLowerCase().replace(/\.$/, "");
  if (asked.endsWith(".in-addr.arpa")) return reverse(asked, type, objects, domain);
  if (asked === domain) return empty;
  if (!asked.endsWith(`.${domain}`)) return undefined;
  const labels = asked.slice(0, -domain.length - 1).split(".");
  if (labels.length === 1 && labels[0] === "dns-version") {
    return pick([{ type: "TXT", name: asked, data: "1.1.0" }], type);
  }
  const kind = labels.pop();
  if (kind !== "svc" && kind !== "pod") return nothing;
  const namespace = labels.pop();
  if (namespace === undefined) return empty;
  if (objects.namespaces.get(undefined, namespace) === undefined) return nothing;
  const first = labels.pop();
  if (first === undefined) return empty;
  if (kind === "pod") return labels.length === 0 ? podAnswer(asked, first, type) : nothing;
  const service = objects.services.get(namespace, first);
  if (service === undefined) return nothing;
  const slices = slicesOf(objects.endpointSlices.list(namespace), namespace, first);
  const found = serviceAnswer({ asked, labels, service, slices, base: `${first}.${namespace}.svc.${domain}` }, type);
  return follow(found, type, (target) => (depth > 0 ? answer(target, type, objects, domain, depth - 1) : undefined));
}

/** How many aliases lead on to another; one that leads to itself comes to an end. */
const mostAliases = 8;

/** With an alias comes what it leads to, where the cluster knows it: a resolver does not ask again (RFC 1034, 4.3.2). */
function follow(found: DnsAnswer, type: QuestionType, look: (target: string) => DnsAnswer | undefined): DnsAnswer {
  const [alias] = found.answers;
  if (alias?.type !== "CNAME" || type === "CNAME") return found;
  return { ...found, answers: [alias, ...(look(alias.domain)?.answers ?? [])] };
}

interface ServiceQuestion {
  readonly asked: string;
  /** What stands before the Service's own name, outermost first. */
  readonly labels: readonly string[];
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  /** The Service's own name. */
  readonly base: string;
}

function serviceAnswer(question: ServiceQuestion, type: QuestionType): DnsAnswer {
  const { asked, labels, service } = question;
  const { spec } = service;
  if (spec?.type === "ExternalName") {
    // A CNAME answers a question of any type.
    const alias: DnsRecord = { type: "CNAME", name: asked, domain: spec.externalName ?? "" };
    return labels.length === 0 ? { code: "NOERROR", answers: [alias], additionals: [] } : nothing;
  }
  if (labels.length === 0 && type !== "SRV") return pick(addressRecords(question), type);
  if (labels.length === 0) return portRecords(question, undefined, undefined);
  const [port = "", protocol = ""] = labels;
  if (labels.length === 2 && port.startsWith("_") && protocol.startsWith("_")) {
    const found = portRecords(question, port.slice(1), protocol.slice(1));
    return found.answers.length === 0 ? nothing : type === "SRV" || type === "ANY" ? found : empty;
  }
  if (labels.length === 1 && protocol === "" && port.startsWith("_")) return empty;
  if (labels.length !== 1 || !isHeadless(service)) return nothing;
  const named = endpoints(question.slices).filter((endpoint) => hostOf(endpoint) === port);
  if (named.length === 0) return nothing;
  return pick(
    named.map((endpoint) => addressRecord(asked, endpoint)),
    type,
  );
}

function addressRecords({ asked, service, slices }: ServiceQuestion): DnsRecord[] {
  if (isHeadless(service)) return endpoints(slices).map((endpoint) => addressRecord(asked, endpoint));
  return [{ type: "A", name: asked, address: service.spec?.clusterIP ?? "" }];
}

/** SRV records for one port by name, or for all of them. */
function portRecords(
  { asked, service, slices, base }: ServiceQuestion,
  port: string | undefined,
  protocol: string | undefined,
): DnsAnswer {
  const matches = (candidate: { name?: string; protocol?: string }) =>
    (port === undefined || candidate.name === port) &&
    (protocol === undefined || (candidate.protocol ?? "TCP").toLowerCase() === protocol);
  const srv = (number: number, target: string): DnsRecord => ({
    type: "SRV",
    name: asked,
    port: number,
    target,
    weight: 100,
  });
  if (!isHeadless(service)) {
    const answers = (service.spec?.ports ?? []).filter(matches).map((each) => srv(each.port, base));
    const address: DnsRecord = { type: "A", name: base, address: service.spec?.clusterIP ?? "" };
    return { code: "NOERROR", answers, additionals: answers.length > 0 ? [address] : [] };
  }
  const places = slices.flatMap((slice) =>
    (slice.ports ?? []).filter(matches).flatMap(({ port: number }) =>
      endpoints([slice]).map((endpoint) => ({
        number: number ?? 0,
        endpoint,
        target: `${hostOf(endpoint)}.${base}`,
      })),
    ),
  );
  return {
    code: "NOERROR",
    answers: places.map(({ number, target }) => srv(number, target)),
    additionals: places.map(({ endpoint, target }) => addressRecord(target, endpoint)),
  };
}

function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === "None";
}

/** Ready ones; a Service that publishes all of its pods has them marked ready in its slices already. */
function endpoints(slices: readonly EndpointSlice[]): Endpoint[] {
  return slices
    .filter(({ addressType }) => addressType === "IPv4")
    .flatMap((slice) => (slice.endpoints ?? []).filter(isReady));
}

/** A pod's hostname where it has asked for one, else its address with dashes. */
function hostOf(endpoint: Endpoint): string {
  return endpoint.hostname ?? (endpoint.addresses[0] ?? "").replaceAll(".", "-");
}

function addressRecord(name: string, endpoint: Endpoint): DnsRecord {
  return { type: "A", name, address: endpoint.addresses[0] ?? "" };
}

function podAnswer(asked: string, label: string, type: QuestionType): DnsAnswer {
  if (!/^\d{1,3}(-\d{1,3}){3}$/.test(label)) return nothing;
  return pick([{ type: "A", name: asked, address: label.replaceAll("-", ".") }], type);
}

function reverse(asked: string, type: QuestionType, objects: DnsObjects, domain: string): DnsAnswer | undefined {
  const address = asked.slice(0, -".in-addr.arpa".length).split(".").toReversed().join(".");
  const service = objects.services.list().find(({ spec }) => spec?.clusterIP === address);
  const names = service
    ? [`${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`]
    : endpointNames(address, objects, domain);
  if (names.length === 0) return undefined;
  return pick(
    names.map((name): DnsRecord => ({ type: "PTR", name: asked, domain: name })),
    type,
  );
}

function endpointNames(address: string, objects: DnsObjects, domain: string): string[] {
  return objects.endpointSlices.list().flatMap((slice) => {
    const service = slice.metadata.labels?.["kubernetes.io/service-name"];
    const endpoint = slice.endpoints?.find(({ addresses }) => addresses[0] === address);
    if (endpoint === undefined || service === undefined) return [];
    return [`${hostOf(endpoint)}.${service}.${slice.metadata.namespace}.svc.${domain}`];
  });
}

/** The name exists; of the type that was asked for there may be none. */
function pick(records: readonly DnsRecord[], type: QuestionType): DnsAnswer {
  return { ...empty, answers: records.filter((record) => type === "ANY" || record.type === type) };
}
