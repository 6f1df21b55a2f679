export { type Agent, type AgentOptions, startAgent } from "./agent.ts";
export { startDns, type DnsOptions } from "./dns/server.ts";
export type { CertificatePair } from "./ingress/certificates.ts";
export { type IngressController, type IngressOptions, startIngress } from "./ingress/ingress.ts";
export type { PublishedAddress } from "./ingress/status.ts";
export { createNetwork, type Network, type NetworkOptions } from "./network/network.ts";
export { type Collection, type NetworkObjects, watchNetworkObjects } from "./network/objects.ts";
export { createProcessNetwork } from "./network/process-network.ts";
export { Proxy, type ProxyOptions } from "./network/proxy.ts";
export { createNamespaceSandbox, type NamespaceSandboxOptions, type NodeNetwork } from "./sandbox/namespace-sandbox.ts";
export { createImageRuntime, type ImageRuntimeOptions } from "./images/image-runtime.ts";
export type { ImageRuntime, RunnableImage } from "./images/images.ts";
export type { AliasEntry, ImageEntry, ImageTableFile, LayersEntry, SourceEntry } from "./images/table.ts";
export type { DnsSettings } from "./kubelet/context.ts";
export type { NodeOptions } from "./kubelet/node/node-object.ts";
export {
  createProcessSandbox,
  type ProcessRoutes,
  type ProcessSandbox,
  type ProcessSandboxOptions,
} from "./sandbox/processes/process-sandbox.ts";
export { missingPrograms, type Program } from "./sandbox/programs.ts";
export type {
  ContainerConfig,
  ContainerExit,
  ContainerProcess,
  ContainerUsage,
  ExecConfig,
  ExecProcess,
  Mount,
  PodConfig,
  PodSandbox,
  Sandbox,
  SandboxCapabilities,
  Streams,
} from "./sandbox/sandbox.ts";
export { probeWorld, spawnWorld, type WorldOptions, type WorldSupport } from "./sandbox/world.ts";
export type { KubeletTls } from "./streaming/secure-server.ts";
