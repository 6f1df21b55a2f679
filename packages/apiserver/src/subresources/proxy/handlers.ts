import type { Clock } from "@dhow/base";
import type { SpecialHandler, UpgradeHandler } from "../../http/handler.ts";
import type { Store } from "../../store.ts";
import { MetricsApi } from "../metrics/metrics-api.ts";
import { HttpProxy } from "./http-proxy.ts";
import type { DialKubelet } from "./kubelet.ts";
import { logHandler } from "./logs.ts";
import { streamHandler, upgradeRequired } from "./streams.ts";

/** What is answered by kubelets, by resource and subresource. */
export function kubeletHandlers(
  store: Store,
  clock: Clock,
  dialKubelet: DialKubelet,
): { special: Record<string, SpecialHandler>; upgrades: Record<string, UpgradeHandler> } {
  const proxy = new HttpProxy(store, dialKubelet);
  const streams = streamHandler(store, dialKubelet);
  const withoutUpgrade = upgradeRequired(store);
  const metrics = new MetricsApi(store, dialKubelet, clock);
  return {
    special: {
      "pods/log": logHandler(store, dialKubelet),
      "pods/exec": withoutUpgrade,
      "pods/attach": withoutUpgrade,
      "pods/portforward": withoutUpgrade,
      "pods/proxy": proxy.handler,
      "services/proxy": proxy.handler,
      "nodes/proxy": proxy.handler,
      "nodes.metrics.k8s.io": metrics.nodes,
      "pods.metrics.k8s.io": metrics.pods,
    },
    upgrades: {
      "pods/exec": streams,
      "pods/attach": streams,
      "pods/portforward": streams,
      "pods/proxy": proxy.upgrade,
      "services/proxy": proxy.upgrade,
      "nodes/proxy": proxy.upgrade,
    },
  };
}
