import type { Clock } from "@dhow/base";
import type { Kubelet } from "../kubelet/kubelet.ts";
import type { Sample, UsageMeter } from "./usage-meter.ts";

/** /metrics/resource, as metrics-server reads it (pkg/kubelet/metrics/collectors/resource_metrics.go). */
export async function resourceMetrics(kubelets: readonly Kubelet[], clock: Clock, meter: UsageMeter): Promise<string> {
  const now = clock.now();
  const lines: Record<string, string[]> = {
    container_cpu_usage_seconds_total: [],
    container_memory_working_set_bytes: [],
    container_start_time_seconds: [],
    node_cpu_usage_seconds_total: [],
    node_memory_working_set_bytes: [],
    pod_cpu_usage_seconds_total: [],
    pod_memory_working_set_bytes: [],
  };
  const add = (name: string, labels: string, value: number) => lines[name]?.push(`${name}${labels} ${value} ${now}`);
  for (const kubelet of kubelets) {
    const samples = await meter.sample(kubelet);
    const node = kubelets.length > 1 ? `{node="${kubelet.context.nodeName}"}` : "";
    const whole = meter.node(kubelet, samples);
    add("node_cpu_usage_seconds_total", node, seconds(whole.cpuNanoseconds));
    add("node_memory_working_set_bytes", node, whole.memoryBytes);
    for (const { worker, running, cpuNanoseconds, memoryBytes } of samples) {
      const { namespace, name } = worker.pod.metadata;
      const labels = `{container="${running.container.name}",namespace="${namespace}",pod="${name}"}`;
      add("container_cpu_usage_seconds_total", labels, seconds(cpuNanoseconds));
      add("container_memory_working_set_bytes", labels, memoryBytes);
      lines["container_start_time_seconds"]?.push(
        `container_start_time_seconds${labels} ${(running.instance.startedAt ?? 0) / 1000}`,
      );
    }
    for (const worker of new Set(samples.map((sample) => sample.worker))) {
      const own = samples.filter((sample) => sample.worker === worker);
      const labels = `{namespace="${worker.pod.metadata.namespace}",pod="${worker.pod.metadata.name}"}`;
      add("pod_cpu_usage_seconds_total", labels, seconds(sum(own, "cpuNanoseconds")));
      add("pod_memory_working_set_bytes", labels, sum(own, "memoryBytes"));
    }
  }
  const type = (name: string) => (name.endsWith("_total") ? "counter" : "gauge");
  const text = Object.entries(lines).flatMap(([name, values]) => [`# TYPE ${name} ${type(name)}`, ...values]);
  return `${text.join("\n")}\n`;
}

/**
 * /stats/summary of the nodes asked for, by the first one's name: processor time and memory of pods and containers, and what a node uses besides
 * (kubelet/pkg/apis/stats/v1alpha1/types.go).
 */
export async function statsSummary(kubelets: readonly Kubelet[], clock: Clock, meter: UsageMeter): Promise<unknown> {
  const sampled = await Promise.all(kubelets.map((kubelet) => meter.sampleTwice(kubelet)));
  const nodes = kubelets.map((kubelet, at) => meter.node(kubelet, sampled[at] ?? []));
  const all = sampled.flat();
  const time = new Date(clock.now()).toISOString();
  const usage = (samples: readonly Sample[]) => ({
    cpu: { time, ...rate(samples.map((one) => meter.rate(one))), usageCoreNanoSeconds: sum(samples, "cpuNanoseconds") },
    memory: { time, workingSetBytes: sum(samples, "memoryBytes") },
  });
  const pods = [...new Set(all.map(({ worker }) => worker))].map((worker) => {
    const own = all.filter((sample) => sample.worker === worker);
    const { name, namespace, uid } = worker.pod.metadata;
    return {
      podRef: { name, namespace, uid },
      startTime: worker.status?.startTime,
      containers: own.map((sample) => ({
        name: sample.running.container.name,
        startTime: new Date(sample.running.instance.startedAt ?? 0).toISOString(),
        ...usage([sample]),
      })),
      ...usage(own),
    };
  });
  const node = {
    nodeName: kubelets[0]?.context.nodeName,
    startTime: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    cpu: { time, ...rate(nodes.map((one) => one.rate)), usageCoreNanoSeconds: sum(nodes, "cpuNanoseconds") },
    memory: { time, usageBytes: sum(nodes, "memoryBytes"), workingSetBytes: sum(nodes, "memoryBytes") },
  };
  return { node, pods };
}

/** Nothing where one of them has been measured only once. */
function rate(rates: readonly (number | undefined)[]): { usageNanoCores?: number } {
  if (rates.includes(undefined)) return {};
  return { usageNanoCores: rates.reduce<number>((total, one) => total + (one ?? 0), 0) };
}

/** /metrics: what the kubelet says about itself. */
export function nodeMetrics(kubelets: readonly Kubelet[]): string {
  const lines = ["# TYPE kubelet_running_pods gauge", "# TYPE kubelet_running_containers gauge"];
  for (const kubelet of kubelets) {
    const workers = kubelet.workers();
    const node = `{node="${kubelet.context.nodeName}"}`;
    lines.push(`kubelet_running_pods${node} ${workers.filter((worker) => worker.running().length > 0).length}`);
    lines.push(
      `kubelet_running_containers${node} ${workers.reduce((count, worker) => count + worker.running().length, 0)}`,
    );
  }
  lines.push(
    "# TYPE process_resident_memory_bytes gauge",
    `process_resident_memory_bytes ${process.memoryUsage().rss}`,
  );
  return `${lines.join("\n")}\n`;
}

function sum(
  samples: readonly Pick<Sample, "cpuNanoseconds" | "memoryBytes">[],
  field: "cpuNanoseconds" | "memoryBytes",
): number {
  return samples.reduce((total, sample) => total + sample[field], 0);
}

function seconds(nanoseconds: number): number {
  return nanoseconds / 1e9;
}
