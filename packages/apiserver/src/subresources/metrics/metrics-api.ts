import type { Clock } from "@dhow/base";
import {
  type HttpResponse,
  type KubeObject,
  type Node,
  notFound,
  type Pod,
  timestamp,
  unknownMethod,
} from "@dhow/kube";
import type { SpecialHandler } from "../../http/handler.ts";
import { json } from "../../http/render.ts";
import type { Call } from "../../registry/call.ts";
import { parseSelection } from "../../registry/selection.ts";
import type { Store } from "../../store.ts";
import type { DialKubelet } from "../proxy/kubelet.ts";
import { type PodUsage, type Summary, summaryOf, type Usage } from "./summary.ts";

/** How long a kubelet measures before it tells. */
const window = "10s";

/** `/apis/metrics.k8s.io/v1beta1`: what nodes and pods use, asked of the kubelets when somebody wants to know. */
export class MetricsApi {
  readonly #store: Store;
  readonly #dial: DialKubelet;
  readonly #clock: Clock;

  constructor(store: Store, dialKubelet: DialKubelet, clock: Clock) {
    this.#store = store;
    this.#dial = dialKubelet;
    this.#clock = clock;
  }

  readonly nodes: SpecialHandler = async ({ call, verb }) => {
    const nodes = this.#select<Node>("nodes", call);
    const metrics = await Promise.all(nodes.map((node) => this.#nodeMetrics(node)));
    return this.#answer(
      call,
      verb,
      metrics.filter((one) => one !== undefined),
      "nodes.metrics.k8s.io",
    );
  };

  readonly pods: SpecialHandler = async ({ call, verb }) => {
    const pods = this.#select<Pod>("pods", call).filter(({ status }) => status?.phase === "Running");
    const names = [...new Set(pods.map(({ spec }) => spec?.nodeName ?? ""))].filter((name) => name !== "");
    const summaries = await Promise.all(names.map((name) => summaryOf(this.#dial, this.#clock, name)));
    const usage = new Map(summaries.flatMap((summary) => podEntries(summary)));
    const metrics = pods.map((pod) => {
      const found = usage.get(`${pod.metadata.namespace}/${pod.metadata.name}`);
      return found && this.#podMetrics(pod, found);
    });
    return this.#answer(
      call,
      verb,
      metrics.filter((one) => one !== undefined),
      "pods.metrics.k8s.io",
    );
  };

  #select<T extends KubeObject>(resource: string, call: Call): T[] {
    const selection = parseSelection(call.resource, call.query);
    return this.#store
      .list<T>(resource, call.namespace)
      .filter((object) => (call.name === "" || object.metadata.name === call.name) && selection.matches(object));
  }

  #answer(call: Call, verb: string, items: readonly KubeObject[], resource: string): HttpResponse {
    if (verb === "get") {
      const [item] = items;
      if (!item) throw notFound(resource, call.namespace ? `${call.namespace}/${call.name}` : call.name);
      return json(200, JSON.stringify(item));
    }
    if (verb !== "list") throw unknownMethod();
    const { info, apiVersion } = call.resource;
    return json(200, JSON.stringify({ kind: `${info.kind}List`, apiVersion, metadata: {}, items }));
  }

  async #nodeMetrics(node: Node): Promise<KubeObject | undefined> {
    const { node: usage } = (await summaryOf(this.#dial, this.#clock, node.metadata.name ?? "")) ?? {};
    const amounts = usage && amountsOf(usage);
    if (!amounts) return undefined;
    return { ...this.#head("NodeMetrics", node, usage), usage: amounts };
  }

  #podMetrics(pod: Pod, { containers = [] }: PodUsage): KubeObject | undefined {
    const measured = containers.flatMap((container) => {
      const usage = amountsOf(container);
      return usage ? [{ name: container.name, usage }] : [];
    });
    // Half a pod says nothing about the whole (metrics-server/pkg/storage/pod.go).
    if (measured.length === 0 || measured.length < containers.length) return undefined;
    return { ...this.#head("PodMetrics", pod, containers[0]), containers: measured };
  }

  #head(kind: string, { metadata }: KubeObject, usage: Usage | undefined): KubeObject {
    const { labels, name, namespace } = metadata;
    const now = timestamp(this.#clock.now());
    return {
      kind,
      apiVersion: "metrics.k8s.io/v1beta1",
      metadata: { name, ...(namespace ? { namespace } : {}), creationTimestamp: now, ...(labels ? { labels } : {}) },
      timestamp: usage?.cpu?.time ?? now,
      window,
    };
  }
}

function podEntries(summary: Summary | undefined): [string, PodUsage][] {
  return (summary?.pods ?? []).map((pod) => [`${pod.podRef.namespace}/${pod.podRef.name}`, pod]);
}

/** In the units of metrics-server: billionths of a processor, KiB. */
function amountsOf({ cpu, memory }: Usage): { cpu: string; memory: string } | undefined {
  if (cpu?.usageNanoCores === undefined || memory?.workingSetBytes === undefined) return undefined;
  const kibibytes = Math.ceil(memory.workingSetBytes / 1024);
  return {
    cpu: cpu.usageNanoCores === 0 ? "0" : `${cpu.usageNanoCores}n`,
    memory: kibibytes === 0 ? "0" : `${kibibytes}Ki`,
  };
}
