import type { Duplex } from "node:stream";
import {
  badRequest,
  type EndpointSlice,
  type HttpResponse,
  notFound,
  type Pod,
  type Service,
  serviceUnavailable,
} from "@dhow/kube";
import type { SpecialHandler, UpgradeHandler } from "../../http/handler.ts";
import type { RequestInfo } from "../../http/request-info.ts";
import type { Call } from "../../registry/call.ts";
import type { ApiRequest } from "../../server.ts";
import type { Store } from "../../store.ts";
import { dial, type DialKubelet, exchange, hopByHop } from "./kubelet.ts";
import { nodeOfPod } from "./pod-target.ts";
import { tunnelToPort } from "./port-tunnel.ts";
import { join, requestHead } from "./streams.ts";

/** `https:web:8443` → scheme, name and port (apimachinery/pkg/util/net SplitSchemeNamePort). */
interface Address {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

function parseAddress(text: string): Address {
  const parts = text.split(":");
  if (parts.length === 1) return { scheme: "", name: text, port: "" };
  if (parts.length === 2) return { scheme: "", name: parts[0] ?? "", port: parts[1] ?? "" };
  const [scheme = "", name = "", port = ""] = parts;
  if (parts.length > 3 || !["", "http", "https"].includes(scheme))
    throw badRequest(`invalid proxy request ${JSON.stringify(text)}`);
  return { scheme, name, port };
}

/** Reaches pods, services and kubelets for `…/proxy/…` paths. */
export class HttpProxy {
  readonly #store: Store;
  readonly #dial: DialKubelet;

  constructor(store: Store, dialKubelet: DialKubelet) {
    this.#store = store;
    this.#dial = dialKubelet;
  }

  readonly handler: SpecialHandler = async ({ call }, request, info): Promise<HttpResponse> => {
    const connection = await this.#connect(call);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (!hopByHop.has(name) && !/^(?:authorization|cookie|host|impersonate-.*)$/.test(name)) headers[name] = value;
    }
    const body = typeof request.body === "string" ? Buffer.from(request.body) : request.body;
    return exchange(connection, {
      method: request.method,
      path: targetPath(info),
      headers,
      body,
      signal: request.signal,
    });
  };

  readonly upgrade: UpgradeHandler = async (call, request: ApiRequest, info, socket, head) => {
    join(socket, await this.#connect(call), requestHead(request, targetPath(info)), head);
  };

  async #connect(call: Call): Promise<Duplex> {
    const { name, port } = parseAddress(call.name);
    if (call.resource.name === "nodes") {
      if (!this.#store.get("nodes", undefined, name)) throw notFound("nodes", name);
      return dial(this.#dial, name);
    }
    const target =
      call.resource.name === "pods" ? this.#pod(call.namespace, name, port) : this.#endpoint(call, name, port);
    const kubelet = await dial(this.#dial, nodeOfPod(target.pod));
    const { namespace = "", name: podName = "" } = target.pod.metadata;
    return tunnelToPort(kubelet, namespace, podName, target.port);
  }

  #pod(namespace: string | undefined, name: string, port: string): { pod: Pod; port: number } {
    const pod = this.#store.get<Pod>("pods", namespace, name);
    if (!pod) throw notFound("pods", name);
    const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    const named = ports.find((one) => one.name === port)?.containerPort;
    const number = port === "" ? (ports[0]?.containerPort ?? 80) : (named ?? Number(port));
    if (!Number.isInteger(number) || number <= 0) throw badRequest(`invalid port ${JSON.stringify(port)}`);
    return { pod, port: number };
  }

  /** Any ready endpoint of a service (pkg/registry/core/service/storage/storage.go ResourceLocation). */
  #endpoint({ namespace }: Call, name: string, wanted: string): { pod: Pod; port: number } {
    const service = this.#store.get<Service>("services", namespace, name);
    if (!service) throw notFound("services", name);
    const ports = service.spec?.ports ?? [];
    const port = wanted === "" ? ports[0] : ports.find((one) => one.name === wanted || String(one.port) === wanted);
    if (!port)
      throw serviceUnavailable(`no service port ${JSON.stringify(wanted)} found for service ${JSON.stringify(name)}`);
    const slices = this.#store
      .list<EndpointSlice>("endpointslices.discovery.k8s.io", namespace)
      .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name);
    const found = slices.flatMap((slice) => {
      const number = slice.ports?.find((one) => (one.name ?? "") === (port.name ?? ""))?.port;
      return (slice.endpoints ?? [])
        .filter(({ conditions, targetRef }) => conditions?.ready !== false && targetRef?.kind === "Pod")
        .map(({ targetRef }) => ({
          pod: this.#store.get<Pod>("pods", namespace, targetRef?.name ?? ""),
          port: number,
        }));
    });
    const usable = found.filter(
      (one): one is { pod: Pod; port: number } => one.pod !== undefined && one.port !== undefined,
    );
    const picked = usable[Math.floor(Math.random() * usable.length)];
    if (!picked) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
    return picked;
  }
}

/** What follows `proxy` in the path, as it was written, and the query. */
function targetPath({ rawPath, query, target }: RequestInfo): string {
  // `/api/v1/namespaces/n/pods/p/proxy`, or `/api/v1/nodes/n/proxy`.
  const rest = rawPath.split("/").slice(target?.namespace === undefined ? 6 : 8);
  return `/${rest.join("/")}${query.size > 0 ? `?${query.toString()}` : ""}`;
}
