import type { Clock, Reporter } from "@dhow/base";
import type { KubeClient } from "@dhow/kube";
import type { CertificateToSign } from "./certificate-signing.ts";

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Ends everything: watches, timers, work. */
  readonly signal: AbortSignal;
  /** The names of those to run, such as `deployment`; without it all of them run. */
  readonly only?: readonly string[];
  /** PEM of the CA that `kube-root-ca.crt` publishes; without it none is published. */
  readonly rootCertificateAuthority?: string;
  /** Signs an approved request for a client's certificate with the cluster's authority, gives PEM; without it none is signed. */
  readonly signCertificate?: (asked: CertificateToSign) => Promise<string>;
  /** The address that Services of type LoadBalancer get; without it they stay pending, as on a cluster with no cloud. */
  readonly loadBalancerAddress?: (service: { namespace: string; name: string }) => string | undefined;
  /** Folder under which the provisioner `dhow.dev/local` puts volumes, as the nodes see it. */
  readonly volumeFolder?: string;
  /** Called with a folder that a reclaimed volume leaves behind; removes it. */
  readonly deleteVolumeFolder?: (path: string) => Promise<void>;
  /** How long a node may be silent before its Ready is Unknown: 50 s, as `--node-monitor-grace-period`. */
  readonly nodeMonitorGraceMilliseconds?: number;
  /** How often autoscalers look at metrics: 15 s, as `--horizontal-pod-autoscaler-sync-period`. */
  readonly autoscalerPeriodMilliseconds?: number;
  /** How long recommendations to shrink must hold: 5 min, as `--horizontal-pod-autoscaler-downscale-stabilization`. */
  readonly autoscalerDownscaleStabilizationMilliseconds?: number;
  /** How long an Event is kept after it last happened: 1 h, as kube-apiserver's `--event-ttl`. */
  readonly eventTtlMilliseconds?: number;
  /** How many finished pods may lie around before the oldest are deleted: 12,500, as `--terminated-pod-gc-threshold`. */
  readonly terminatedPodThreshold?: number;
}
