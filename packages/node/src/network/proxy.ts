import { messageOf, type Reporter } from "@dhow/base";
import type { Pod } from "@dhow/kube";
import type { Network } from "./network.ts";
import type { NetworkObjects } from "./objects.ts";
import { type PolicyPod, policyRules, protocolOf } from "./policy-rules.ts";
import { Settler } from "./settler.ts";
import { type ServiceRuleOptions, serviceRules } from "./service-rules.ts";

export interface ProxyOptions {
  readonly objects: Pick<NetworkObjects, "services" | "endpointSlices" | "policies" | "namespaces" | "pods">;
  readonly network: Network;
  readonly reporter: Reporter;
  readonly nodes: ServiceRuleOptions["nodes"];
  readonly ownAddresses: readonly string[];
  /** The agent's DNS server, which policies allow by the names that it has in other clusters. */
  readonly dnsAddress: string;
  readonly signal: AbortSignal;
}

/** Keeps the kernel's rules in step with Services, EndpointSlices, NetworkPolicies, pods and namespaces. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #services: Settler;
  readonly #policies: Settler;
  /** Addresses of pods that have not been published in their status yet, by uid. */
  readonly #announced = new Map<string, { readonly pod: Pod; readonly address: string }>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { objects, reporter, signal } = options;
    const failed = (subject: string) => (error: unknown) =>
      reporter.report({ kind: "network.failed", level: "error", subject, message: messageOf(error) });
    this.#services = new Settler(() => this.#setServices(), failed("services"));
    this.#policies = new Settler(() => this.#setPolicies(), failed("policies"));
    const stops = [
      ...[objects.services, objects.endpointSlices].map((each) => each.onChange(() => void this.#services.change())),
      ...[objects.policies, objects.namespaces].map((each) => each.onChange(() => void this.#policies.change())),
      objects.pods.onChange((pod, old) => this.#podChanged(pod, old)),
    ];
    signal.addEventListener("abort", () => stops.forEach((stop) => stop()), { once: true });
  }

  /** Resolves when the kernel has all that was known when it was called. */
  async settled(): Promise<void> {
    await Promise.all([this.#services.change(), this.#policies.change()]);
  }

  /**
   * Tells of a pod's address before the API server knows it. Await it before the first container starts: policies hold from its first
   * packet on, and nobody who may be reached by it refuses it.
   */
  async announce(pod: Pod, address: string): Promise<void> {
    this.#announced.set(pod.metadata.uid ?? "", { pod, address });
    await this.#policies.change();
  }

  /** Takes the announcement back, when the pod's sandbox is removed. */
  withdraw(uid: string): void {
    if (this.#announced.delete(uid)) void this.#policies.change();
  }

  #podChanged(pod: Pod | undefined, old: Pod | undefined): void {
    if (policyView(pod) !== policyView(old)) void this.#policies.change();
  }

  async #setServices(): Promise<void> {
    const { objects, nodes, ownAddresses, network } = this.#options;
    const options = { nodes, ownAddresses: new Set(ownAddresses) };
    await network.setServices(serviceRules(objects.services.list(), objects.endpointSlices.list(), options));
  }

  async #setPolicies(): Promise<void> {
    const { objects, network, dnsAddress } = this.#options;
    const policies = objects.policies.list();
    const pods = policies.length > 0 ? [...this.#policyPods(), clusterDns(dnsAddress)] : [];
    await network.setPolicies(policyRules(policies, pods, objects.namespaces.list()));
  }

  #policyPods(): PolicyPod[] {
    const published = this.#options.objects.pods.list();
    const known = new Set(published.filter(addressOf).map(({ metadata }) => metadata.uid));
    const early = [...this.#announced.values()].filter(({ pod }) => !known.has(pod.metadata.uid));
    return [
      ...published.filter(isOnNetwork).map((pod) => policyPod(pod, addressOf(pod) ?? "")),
      ...early.map(({ pod, address }) => policyPod(pod, address)),
    ];
  }
}

function addressOf(pod: Pod): string | undefined {
  return pod.status?.podIP;
}

function isOnNetwork(pod: Pod): boolean {
  const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return addressOf(pod) !== undefined && !ended && !pod.spec?.hostNetwork;
}

/** What of a pod policies look at, as one text. */
function policyView(pod: Pod | undefined): string {
  return pod ? JSON.stringify([pod.metadata.labels, addressOf(pod), isOnNetwork(pod), pod.metadata.uid]) : "";
}

function policyPod(pod: Pod, address: string): PolicyPod {
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return {
    namespace: pod.metadata.namespace ?? "",
    labels: pod.metadata.labels ?? {},
    address,
    ports: ports.map(({ name = "", containerPort, protocol }) => ({
      name,
      port: containerPort,
      protocol: protocolOf(protocol),
    })),
  };
}

/** As CoreDNS is labelled wherever kubeadm put it. */
function clusterDns(address: string): PolicyPod {
  return {
    namespace: "kube-system",
    labels: { "k8s-app": "kube-dns" },
    address,
    ports: [
      { name: "dns", protocol: "udp", port: 53 },
      { name: "dns-tcp", protocol: "tcp", port: 53 },
    ],
    neverIsolated: true,
  };
}
