import type { WorkQueue } from "./work-queue.ts";

/** The queues' lengths in the Prometheus text format, under the names of kube-controller-manager. */
export function renderQueueMetrics(queues: readonly WorkQueue[]): string {
  const families = [
    { name: "workqueue_depth", type: "gauge", help: "Keys that wait to be worked on", value: "depth" },
    { name: "workqueue_unfinished_work", type: "gauge", help: "Keys being worked on", value: "unfinished" },
    { name: "workqueue_adds_total", type: "counter", help: "Keys worked on so far", value: "adds" },
    { name: "workqueue_retries_total", type: "counter", help: "Keys tried again after a failure", value: "retries" },
  ] as const;
  const lines: string[] = [];
  const measured = queues.map((queue) => ({ name: queue.name, ...queue.metrics() }));
  for (const family of families) {
    lines.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`);
    for (const queue of measured) lines.push(`${family.name}{name="${queue.name}"} ${queue[family.value]}`);
  }
  return `${lines.join("\n")}\n`;
}
