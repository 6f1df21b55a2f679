// metrics.k8s.io is served by an aggregated server (metrics-server), which a control plane alone does not have.
// Source: k8s.io/metrics/pkg/apis/metrics/v1beta1/types.go.
import type { PublishedGroup, PublishedSchema } from "./real-api.ts";

const metrics = "io.k8s.metrics.pkg.apis.metrics.v1beta1";
const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

function reference(name: string): PublishedSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const text: PublishedSchema = { type: "string" };
const usage: PublishedSchema = {
  type: "object",
  additionalProperties: reference("io.k8s.apimachinery.pkg.api.resource.Quantity"),
};
const sample = { timestamp: reference(`${meta}.Time`), window: reference(`${meta}.Duration`) };

function kind(name: string, rest: Record<string, PublishedSchema>, metadata: string): [string, PublishedSchema] {
  return [
    `${metrics}.${name}`,
    {
      type: "object",
      properties: { apiVersion: text, kind: text, metadata: reference(`${meta}.${metadata}`), ...rest },
      required: Object.keys(rest),
      "x-kubernetes-group-version-kind": [{ group: "metrics.k8s.io", version: "v1beta1", kind: name }],
    },
  ];
}

function listOf(name: string): [string, PublishedSchema] {
  return kind(`${name}List`, { items: { type: "array", items: reference(`${metrics}.${name}`) } }, "ListMeta");
}

export const metricsSchemas: ReadonlyMap<string, PublishedSchema> = new Map([
  [`${metrics}.ContainerMetrics`, { type: "object", properties: { name: text, usage }, required: ["name", "usage"] }],
  kind("NodeMetrics", { ...sample, usage }, "ObjectMeta"),
  listOf("NodeMetrics"),
  kind(
    "PodMetrics",
    { ...sample, containers: { type: "array", items: reference(`${metrics}.ContainerMetrics`) } },
    "ObjectMeta",
  ),
  listOf("PodMetrics"),
]);

export const metricsGroup: PublishedGroup = {
  metadata: { name: "metrics.k8s.io" },
  versions: [
    {
      version: "v1beta1",
      resources: (["Node", "Pod"] as const).map((name) => ({
        resource: `${name.toLowerCase()}s`,
        responseKind: { group: "", version: "", kind: `${name}Metrics` },
        scope: name === "Pod" ? "Namespaced" : "Cluster",
        singularResource: "",
        verbs: ["get", "list"],
      })),
    },
  ],
};
