import type { Scenario, Step } from "./scenarios.ts";

type Fields = Record<string, unknown>;

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const group = "{ns}.example.com";
const merge = "application/merge-patch+json";

const step = (says: string, method: Step["method"], path: string, body?: unknown, more: Partial<Step> = {}): Step => ({
  says,
  method,
  path,
  ...(body === undefined ? {} : { body }),
  ...more,
});

const schema = (openAPIV3Schema: unknown) => ({ openAPIV3Schema });
const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const version = (name: string, more: Fields = {}) => ({
  name,
  served: true,
  storage: true,
  schema: schema(anything),
  ...more,
});
const names = (plural: string, kind: string, more: Fields = {}) => ({ plural, kind, ...more });
const definition = (plural: string, kind: string, versions: unknown, spec: Fields = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: { group, scope: "Namespaced", names: names(plural, kind), versions, ...spec },
});

/** A definition with one version whose spec has these properties. */
const ofProperties = (properties: Fields, more: Fields = {}) =>
  definition("bads", "Bad", [version("v1", { schema: schema({ type: "object", properties, ...more }) })]);

const definitionFaults: Scenario = {
  name: "definitions that are refused",
  steps: [
    step("another name", "POST", definitions, { ...definition("as", "A", [version("v1")]), metadata: { name: "bs" } }),
    step("no versions", "POST", definitions, definition("as", "A", [])),
    step("no schema", "POST", definitions, definition("as", "A", [{ name: "v1", served: true, storage: true }])),
    step("none is stored", "POST", definitions, definition("as", "A", [version("v1", { storage: false })])),
    step("two are stored", "POST", definitions, definition("as", "A", [version("v1"), version("v2")])),
    step(
      "a version twice",
      "POST",
      definitions,
      definition("as", "A", [version("v1"), version("v1", { storage: false })]),
    ),
    step("a version's name", "POST", definitions, definition("as", "A", [version("V_1")])),
    step("an upper-case plural", "POST", definitions, definition("As", "A", [version("v1")])),
    step("a kind that is no name", "POST", definitions, definition("as", "A b", [version("v1")])),
    step("no scope", "POST", definitions, definition("as", "A", [version("v1")], { scope: "" })),
    step("a wrong scope", "POST", definitions, definition("as", "A", [version("v1")], { scope: "World" })),
    step("a group without a dot", "POST", definitions, definition("as", "A", [version("v1")], { group: "nodot" })),
    step("no type", "POST", definitions, ofProperties({ spec: { properties: { a: { type: "string" } } } })),
    step("no type at the root", "POST", definitions, definition("as", "A", [version("v1", { schema: schema({}) })])),
    step("an unknown type", "POST", definitions, ofProperties({ spec: { type: "text" } })),
    step("items missing", "POST", definitions, ofProperties({ spec: { type: "array" } })),
    step("a default that does not fit", "POST", definitions, ofProperties({ spec: { type: "integer", default: "a" } })),
    step(
      "a default with more than there is",
      "POST",
      definitions,
      ofProperties({ spec: { type: "object", default: { a: 1 } } }),
    ),
    step(
      "metadata restricted",
      "POST",
      definitions,
      ofProperties({ metadata: { type: "object", properties: { labels: { type: "object" } } } }),
    ),
    step(
      "both properties and additionalProperties",
      "POST",
      definitions,
      ofProperties({
        spec: { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "string" } },
      }),
    ),
    step(
      "a list by keys that are not there",
      "POST",
      definitions,
      ofProperties({
        spec: {
          type: "array",
          items: { type: "object", properties: { a: { type: "string" } } },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["b"],
        },
      }),
    ),
    step(
      "a list by no keys",
      "POST",
      definitions,
      ofProperties({
        spec: {
          type: "array",
          items: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          "x-kubernetes-list-type": "map",
        },
      }),
    ),
    step("a pattern that is none", "POST", definitions, ofProperties({ spec: { type: "string", pattern: "(" } })),
    step(
      "a rule that is none",
      "POST",
      definitions,
      ofProperties({
        spec: {
          type: "object",
          properties: { a: { type: "integer" } },
          "x-kubernetes-validations": [{ rule: "self.a >" }],
        },
      }),
      { codeOnly: true },
    ),
    step(
      "a column without a path",
      "POST",
      definitions,
      definition("as", "A", [version("v1", { additionalPrinterColumns: [{ name: "A", type: "string" }] })]),
    ),
    step(
      "a column of an unknown type",
      "POST",
      definitions,
      definition("as", "A", [
        version("v1", { additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: ".a" }] }),
      ]),
    ),
    step(
      "scale without paths",
      "POST",
      definitions,
      definition("as", "A", [version("v1", { subresources: { scale: {} } })]),
    ),
    step(
      "webhook conversion without a webhook",
      "POST",
      definitions,
      definition("as", "A", [version("v1")], { conversion: { strategy: "Webhook" } }),
    ),
    step(
      "a selectable field that is not there",
      "POST",
      definitions,
      definition("as", "A", [
        version("v1", {
          schema: schema({
            type: "object",
            properties: { spec: { type: "object", properties: { a: { type: "string" } } } },
          }),
          selectableFields: [{ jsonPath: ".spec.b" }],
        }),
      ]),
    ),
    step(
      "an unknown field",
      "POST",
      `${definitions}?fieldValidation=Strict`,
      definition("as", "A", [version("v1")], { foo: 1 }),
    ),
  ],
};

const widgetSpec = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string", pattern: "^[a-z]+$", minLength: 2, maxLength: 5 },
    replicas: { type: "integer", format: "int32", minimum: 1, maximum: 10, default: 1 },
    mode: { type: "string", enum: ["fast", "slow"], default: "fast" },
    ratio: { type: "number", minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
    on: { type: "boolean" },
    port: { "x-kubernetes-int-or-string": true },
    when: { type: "string", format: "date-time" },
    address: { type: "string", format: "ipv4" },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { known: { type: "string" } } },
    labels: { type: "object", additionalProperties: { type: "integer" }, maxProperties: 2 },
    maybe: { type: "string", nullable: true },
    tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set", minItems: 1, maxItems: 3 },
    ports: {
      type: "array",
      items: {
        type: "object",
        required: ["name"],
        properties: { name: { type: "string" }, number: { type: "integer", default: 80 } },
      },
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    },
    one: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      oneOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    low: { type: "integer" },
    high: { type: "integer" },
  },
  "x-kubernetes-validations": [
    { rule: "!has(self.low) || !has(self.high) || self.low <= self.high", message: "low must not be above high" },
    { rule: "self.name == oldSelf.name", message: "name is for ever", fieldPath: ".name" },
    {
      rule: "!has(self.tags) || self.tags.all(t, t.startsWith('t'))",
      messageExpression: "'tags begin with t, not ' + self.tags[0]",
      reason: "FieldValueForbidden",
    },
  ],
};
const widgetVersion = version("v1", {
  schema: schema({
    type: "object",
    properties: {
      spec: widgetSpec,
      status: {
        type: "object",
        properties: { replicas: { type: "integer" }, selector: { type: "string" }, phase: { type: "string" } },
      },
    },
  }),
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  additionalPrinterColumns: [
    { name: "Mode", type: "string", jsonPath: ".spec.mode", description: "How it goes" },
    { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
    { name: "Phase", type: "string", jsonPath: ".status.phase", priority: 1 },
    { name: "First", type: "string", jsonPath: ".spec.ports[0].name" },
  ],
  selectableFields: [{ jsonPath: ".spec.mode" }],
});
const widgets = `/apis/${group}/v1/namespaces/{ns}/widgets`;
const widget = (name: string, spec: unknown, more: Fields = {}) => ({
  apiVersion: `${group}/v1`,
  kind: "Widget",
  metadata: { name },
  spec,
  ...more,
});
const tried = (says: string, spec: unknown): Step => step(says, "POST", `${widgets}?dryRun=All`, widget("b", spec));

const served: Scenario = {
  name: "a definition and its objects",
  steps: [
    step("before", "GET", widgets),
    step(
      "a definition",
      "POST",
      definitions,
      definition("widgets", "Widget", [widgetVersion], {
        names: names("widgets", "Widget", { shortNames: ["wd"], categories: ["all"] }),
      }),
    ),
    step("it is served", "GET", widgets, undefined, { until: 200 }),
    step("the definition, accepted", "GET", `${definitions}/widgets.${group}`),
    step("the group", "GET", `/apis/${group}`, undefined, { until: 200 }),
    step("the resources", "GET", `/apis/${group}/v1`, undefined, { until: 200 }),
    step("the same names for another", "POST", definitions, definition("widgetz", "Widget", [version("v1")])),
    step("which is not accepted", "GET", `${definitions}/widgetz.${group}`, undefined, { until: 200 }),
    step(
      "one",
      "POST",
      widgets,
      widget("a", { name: "abc", unknown: 1, free: { x: { y: 1 } }, ports: [{ name: "http" }], extra: { deep: [1] } }),
    ),
    step(
      "with its unknown fields refused",
      "POST",
      `${widgets}?fieldValidation=Strict`,
      widget("b", { name: "abc", unknown: 1, ports: [{ name: "http", foo: 1 }] }, { more: 1 }),
    ),
    step(
      "with its unknown fields told",
      "POST",
      `${widgets}?fieldValidation=Warn&dryRun=All`,
      widget("b", { name: "abc", unknown: 1 }),
    ),
    step("again", "POST", widgets, widget("a", { name: "abc" })),
    step("another kind", "POST", widgets, { ...widget("b", { name: "abc" }), kind: "Gadget" }),
    step("another version", "POST", widgets, { ...widget("b", { name: "abc" }), apiVersion: `${group}/v2` }),
    step("a bad name", "POST", widgets, widget("A_b", { name: "abc" })),
    tried("nothing required", {}),
    tried("short", { name: "a" }),
    tried("long", { name: "abcdefg" }),
    tried("of another pattern", { name: "a1" }),
    tried("a text for a number", { name: "abc", replicas: "2" }),
    tried("a number for a text", { name: 12 }),
    tried("a fraction", { name: "abc", replicas: 1.5 }),
    tried("too small", { name: "abc", replicas: 0 }),
    tried("too large", { name: "abc", replicas: 11 }),
    tried("not of the choices", { name: "abc", mode: "medium" }),
    tried("not above", { name: "abc", ratio: 0 }),
    tried("no multiple", { name: "abc", ratio: 0.7 }),
    tried("no boolean", { name: "abc", on: "yes" }),
    tried("a port by number", { name: "abc", port: 80 }),
    tried("a port by name", { name: "abc", port: "http" }),
    tried("neither", { name: "abc", port: true }),
    tried("no time", { name: "abc", when: "tomorrow" }),
    tried("no address", { name: "abc", address: "1.2.3" }),
    tried("a list for an object", { name: "abc", free: [] }),
    tried("null where it may be", { name: "abc", maybe: null }),
    tried("null where it may not be", { name: "abc", mode: null, on: null }),
    tried("wrong in a map", { name: "abc", labels: { a: "b" } }),
    tried("too many in a map", { name: "abc", labels: { a: 1, b: 2, c: 3 } }),
    tried("an empty list", { name: "abc", tags: [] }),
    tried("too many in a list", { name: "abc", tags: ["t1", "t2", "t3", "t4"] }),
    tried("twice in a set", { name: "abc", tags: ["t1", "t1"] }),
    tried("twice by key", { name: "abc", ports: [{ name: "a" }, { name: "a" }] }),
    tried("none of one", { name: "abc", one: {} }),
    tried("both of one", { name: "abc", one: { a: "", b: "" } }),
    tried("no spec", "text"),
    tried("a rule", { name: "abc", low: 2, high: 1 }),
    tried("a rule that words its own message", { name: "abc", tags: ["x"] }),
    step("what is stored", "GET", `${widgets}/a`),
    step("a table", "GET", `${widgets}/a?includeObject=None`, undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    }),
    step("chosen by a field", "GET", `${widgets}?fieldSelector=spec.mode%3Dslow`),
    step("chosen by another field", "GET", `${widgets}?fieldSelector=spec.name%3Dabc`),
    step("updated without a revision", "PUT", `${widgets}/a`, widget("a", { name: "abc" })),
    step(
      "merged",
      "PATCH",
      `${widgets}/a`,
      { spec: { replicas: 3, mode: "slow", unknown: 2 }, status: { phase: "x" } },
      { type: merge },
    ),
    step("merged wrongly", "PATCH", `${widgets}/a`, { spec: { replicas: 30 } }, { type: merge }),
    step("against a rule of change", "PATCH", `${widgets}/a`, { spec: { name: "xyz" } }, { type: merge }),
    step("by operations", "PATCH", `${widgets}/a`, [{ op: "replace", path: "/spec/replicas", value: 4 }], {
      type: "application/json-patch+json",
    }),
    step(
      "by a strategic patch",
      "PATCH",
      `${widgets}/a`,
      { spec: { replicas: 5 } },
      { type: "application/strategic-merge-patch+json" },
    ),
    step(
      "its status",
      "PATCH",
      `${widgets}/a/status`,
      { spec: { replicas: 9 }, status: { phase: "Running", replicas: 2, selector: "a=b", other: 1 } },
      { type: merge },
    ),
    step("a wrong status", "PATCH", `${widgets}/a/status`, { status: { replicas: "x" } }, { type: merge }),
    step("its scale", "GET", `${widgets}/a/scale`),
    step("scaled", "PATCH", `${widgets}/a/scale`, { spec: { replicas: 7 } }, { type: merge }),
    step("scaled too far", "PATCH", `${widgets}/a/scale`, { spec: { replicas: 70 } }, { type: merge }),
    step("after that", "GET", `${widgets}/a`),
    step(
      "applied",
      "PATCH",
      `${widgets}/c?fieldManager=one`,
      widget("c", { name: "abc", ports: [{ name: "a", number: 1 }], tags: ["t1"] }),
      { type: "application/apply-patch+yaml" },
    ),
    step(
      "applied by another",
      "PATCH",
      `${widgets}/c?fieldManager=two`,
      widget("c", { name: "abc", ports: [{ name: "b", number: 2 }], tags: ["t2"] }),
      { type: "application/apply-patch+yaml" },
    ),
    step(
      "in conflict",
      "PATCH",
      `${widgets}/c?fieldManager=two`,
      widget("c", { name: "abc", ports: [{ name: "a", number: 2 }] }),
      { type: "application/apply-patch+yaml" },
    ),
    step(
      "with a field that is not there",
      "PATCH",
      `${widgets}/c?fieldManager=one`,
      widget("c", { name: "abc", unknown: 1 }),
      { type: "application/apply-patch+yaml" },
    ),
    step("taken back", "PATCH", `${widgets}/c?fieldManager=one`, widget("c", { name: "abc" }), {
      type: "application/apply-patch+yaml",
    }),
    step("by one without rights", "GET", widgets, undefined, { as: "nobody" }),
    step("deleted", "DELETE", `${widgets}/c`, undefined, { codeOnly: true }),
    step("the definition deleted", "DELETE", `${definitions}/widgets.${group}`),
    step("it is gone", "GET", `${definitions}/widgets.${group}`, undefined, { until: 404 }),
    step("no more", "GET", widgets, undefined, { until: 404 }),
    step("the other is accepted now", "GET", `/apis/${group}/v1/namespaces/{ns}/widgetz`, undefined, { until: 200 }),
    step("the other deleted", "DELETE", `${definitions}/widgetz.${group}`),
  ],
};

export const customResources: readonly Scenario[] = [definitionFaults, served];
