import { deepEqual, type Node, type Pod, type Service } from "@dhow/kube";
import type { Manager } from "../manager/manager.ts";
import { kinds } from "../kinds.ts";
import type { WorkQueue } from "../manager/work-queue.ts";
import { isDeleting, keyOf, nameOf, namespaceOf, uidOf } from "../objects.ts";
import { isPodReady, isPodTerminal } from "../pods.ts";
import { selects } from "../selectors.ts";

/** A Service's port as one pod answers it. */
export interface ResolvedPort {
  readonly name: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  readonly appProtocol: string | undefined;
}

/** One pod behind a Service. */
export interface Backend {
  readonly pod: Pod;
  readonly ip: string;
  readonly hostname: string | undefined;
  readonly zone: string | undefined;
  readonly ports: readonly ResolvedPort[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export const headlessLabel = "service.kubernetes.io/headless";

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === "None";
}

function resolvePort(
  pod: Pod,
  targetPort: number | string | undefined,
  port: number,
  protocol: string,
): number | undefined {
  if (typeof targetPort === "number" && targetPort !== 0) return targetPort;
  if (targetPort === undefined || targetPort === 0 || targetPort === "") return port;
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  for (const container of [...pod.spec.containers, ...sidecars]) {
    for (const named of container.ports ?? []) {
      if (named.name === targetPort && (named.protocol ?? "TCP") === protocol) return named.containerPort;
    }
  }
  return undefined;
}

function portsOf(service: Service, pod: Pod): ResolvedPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    const port = resolvePort(pod, servicePort.targetPort, servicePort.port, protocol);
    // A pod without a port of that name does not answer that port of the Service.
    return port === undefined ? [] : [{ name, protocol, port, appProtocol }];
  });
}

/** The pods behind a Service, terminating ones included (staging/src/k8s.io/endpointslice/utils.go). */
export function backendsOf(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): Backend[] {
  const publishNotReady = service.spec?.publishNotReadyAddresses === true;
  return pods.flatMap((pod) => {
    const ip = pod.status?.podIP;
    if (!ip || isPodTerminal(pod) || !selects(service.spec?.selector, pod.metadata.labels)) return [];
    const serving = isPodReady(pod);
    const terminating = isDeleting(pod);
    return [
      {
        pod,
        ip,
        hostname: pod.spec.hostname && pod.spec.subdomain === nameOf(service) ? pod.spec.hostname : undefined,
        zone: nodeOf(pod.spec.nodeName ?? "")?.metadata.labels?.["topology.kubernetes.io/zone"],
        ports: portsOf(service, pod),
        ready: publishNotReady || (serving && !terminating),
        serving,
        terminating,
      },
    ];
  });
}

export function targetRef(pod: Pod): { kind: string; namespace: string; name: string; uid: string } {
  return { kind: "Pod", namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) };
}

/** Backends that answer the same ports, together. */
export function groupByPorts<B extends { readonly ports: readonly ResolvedPort[] }>(
  backends: readonly B[],
): { ports: readonly ResolvedPort[]; backends: B[] }[] {
  const groups = new Map<string, { ports: readonly ResolvedPort[]; backends: B[] }>();
  for (const backend of backends) {
    const key = JSON.stringify(backend.ports);
    const group = groups.get(key);
    if (group) group.backends.push(backend);
    else groups.set(key, { ports: backend.ports, backends: [backend] });
  }
  return [...groups.values()];
}

/** What of a pod shows in endpoints. */
function shown(pod: Pod | undefined): unknown {
  return (
    pod && [
      pod.metadata.labels,
      pod.status?.podIP,
      pod.spec.nodeName,
      isPodReady(pod),
      isPodTerminal(pod),
      isDeleting(pod),
      pod.spec.hostname,
    ]
  );
}

/** Adds a Service's key whenever it or a pod that it selects (or did) changes. */
export function watchServicesAndPods(manager: Manager, queue: WorkQueue): void {
  const services = manager.informer(kinds.service);
  services.onChange((service, old) => queue.add(keyOf((service ?? old) as Service)));
  manager.informer(kinds.pod).onChange((pod, old) => {
    if (deepEqual(shown(pod), shown(old))) return;
    for (const service of services.list(namespaceOf((pod ?? old) as Pod))) {
      const { selector } = service.spec ?? {};
      if (selects(selector, pod?.metadata.labels) || selects(selector, old?.metadata.labels)) queue.add(keyOf(service));
    }
  });
}
