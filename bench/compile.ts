import { compile } from "@dhow/manifests";
import { describeSystem, ingress, type Service, service, system } from "@dhow/model";
import { median } from "./measure.ts";
import type { Row } from "./table.ts";

const services = 1_000;

/** A thousand services, each of which calls up to three others, behind one ingress. */
const description = system("large", () => {
  const all: Service[] = [];
  for (let index = 0; index < services; index++) {
    const calls = [1, 7, 31].map((back) => all[index - back]).filter((one) => one !== undefined);
    const env = Object.fromEntries(calls.map((called, at) => [`URL_${at}`, called.url]));
    all.push(service(`service-${index}`, { source: `service-${index}`, port: 8080, replicas: 2, env }));
  }
  return [ingress("large", { routes: Object.fromEntries(all.map((one, index) => [`/service-${index}`, one])) })];
});

/** Describing and compiling, in this process; the first time counts as any other, for a person waits for it. */
export function compiling(rounds: number): Row[] {
  const figures: number[] = [];
  const cpu: number[] = [];
  let objects = 0;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    const begin = performance.now();
    objects = compile(describeSystem(description, "production", "1")).length;
    figures.push(performance.now() - begin);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  const what = `${objects.toLocaleString("en")} objects of ${services.toLocaleString("en")} services`;
  return [
    {
      what: `${what}, first time`,
      unit: "ms",
      value: figures[0] ?? Number.NaN,
      cpu: cpu[0] ?? Number.NaN,
      budget: 300,
    },
    { what: `${what}, median`, unit: "ms", value: median(figures), cpu: median(cpu), budget: 300 },
  ];
}
