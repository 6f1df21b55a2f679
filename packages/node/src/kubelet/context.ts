import type { Clock, Reporter } from "@dhow/base";
import type { KubeClient, Pod, Service } from "@dhow/kube";
import type { ImageRuntime } from "../images/images.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { PodFacts } from "./environment/field-path.ts";
import type { EventRecorder } from "./events.ts";
import type { ObjectSource } from "./object-source.ts";
import type { PodRecords } from "./pod-record.ts";
import type { TokenManager } from "./volumes/tokens.ts";

export interface DnsSettings {
  /** Where pods ask: the cluster's DNS service. */
  readonly address: string;
  readonly clusterDomain: string;
}

/** What the workers of one node share. */
export interface NodeContext {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly events: EventRecorder;
  readonly sandbox: Sandbox;
  readonly images: ImageRuntime;
  readonly objects: ObjectSource;
  readonly tokens: TokenManager;
  readonly records: PodRecords;
  readonly nodeName: string;
  readonly hostIP: string;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Of the pods of this node: a folder a pod, named by its uid. */
  readonly podsFolder: string;
  readonly volumesFolder: string;
  readonly hostPaths: readonly string[];
  readonly dns: DnsSettings;
  services(): readonly Service[];
}

export function podFacts(context: NodeContext, podIP: string): PodFacts {
  return { podIP, hostIP: context.hostIP, nodeName: context.nodeName, allocatable: context.allocatable };
}

export function podKey(pod: Pod): string {
  return `${pod.metadata.namespace}/${pod.metadata.name}`;
}
