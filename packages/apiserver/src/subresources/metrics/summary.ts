import { sleep, type Clock } from "@dhow/base";
import { dial, type DialKubelet, exchange, readAnswer } from "../proxy/kubelet.ts";

/** What a kubelet tells at `/stats/summary` (k8s.io/kubelet/pkg/apis/stats/v1alpha1), as far as it is used. */
export interface Summary {
  readonly node?: Usage;
  readonly pods?: readonly PodUsage[];
}

export interface PodUsage {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid?: string };
  readonly containers?: readonly (Usage & { readonly name: string })[];
}

export interface Usage {
  readonly cpu?: { readonly time?: string; readonly usageNanoCores?: number };
  readonly memory?: { readonly time?: string; readonly workingSetBytes?: number };
}

/** A kubelet that says nothing for so long is left out of the answer. */
const patienceMilliseconds = 3000;

/** Undefined where the node is not to be reached. */
export async function summaryOf(dialKubelet: DialKubelet, clock: Clock, node: string): Promise<Summary | undefined> {
  const abort = new AbortController();
  const asked = ask(dialKubelet, node, abort.signal);
  const answer = await Promise.race([asked, sleep(clock, patienceMilliseconds, abort.signal)]).catch(() => undefined);
  abort.abort();
  asked.catch(() => undefined);
  return answer ?? undefined;
}

async function ask(dialKubelet: DialKubelet, node: string, signal: AbortSignal): Promise<Summary | undefined> {
  const connection = await dial(dialKubelet, node);
  // Several nodes may share one agent, which is told which is meant; a kubelet of one node does not look at it.
  const path = `/stats/summary?node=${encodeURIComponent(node)}`;
  const response = await exchange(connection, { method: "GET", path, signal });
  const text = await readAnswer(response);
  return response.status === 200 ? (JSON.parse(text) as Summary) : undefined;
}
