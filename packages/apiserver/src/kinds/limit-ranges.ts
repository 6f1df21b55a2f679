import { type FieldFault, fieldFault, type LimitRange, type LimitRangeItem } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { sorted } from "../validation/metadata.ts";
import { compareQuantities } from "../validation/quantities.ts";
import { quantityFaults, resourceNameFaults } from "./pod/resources.ts";

// SetDefaults_LimitRangeItem in pkg/apis/core/v1/defaults.go, ValidateLimitRange in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, required } = fieldFault;

export const limitRanges: Strategy = {
  createOnUpdate: true,
  applyDefaults(object) {
    for (const limit of (object as LimitRange).spec?.limits ?? []) {
      if (limit.type !== "Container") continue;
      limit.default = { ...limit.max, ...limit.default };
      limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
    }
  },
  validate: (object) => [...rangeFaults(object as LimitRange)],
};

function* rangeFaults({ spec }: LimitRange): Generator<FieldFault> {
  const types = new Set<string>();
  for (const [index, limit] of (spec?.limits ?? []).entries()) {
    const at = `spec.limits[${index}]`;
    if (types.has(limit.type)) yield duplicate(`${at}.type`, limit.type);
    types.add(limit.type);
    yield* amountFaults(limit, at);
    if (limit.type === "Pod") {
      if (Object.keys(limit.default ?? {}).length > 0) {
        yield forbidden(`${at}.default`, "may not be specified when `type` is 'Pod'");
      }
      if (Object.keys(limit.defaultRequest ?? {}).length > 0) {
        yield forbidden(`${at}.defaultRequest`, "may not be specified when `type` is 'Pod'");
      }
    }
    if (
      limit.type === "PersistentVolumeClaim" &&
      limit.min?.["storage"] === undefined &&
      limit.max?.["storage"] === undefined
    ) {
      yield required(`${at}.limits`, "either minimum or maximum storage value is required, but neither was provided");
    }
    yield* orderFaults(limit, at);
  }
}

function* amountFaults(limit: LimitRangeItem, at: string): Generator<FieldFault> {
  for (const field of ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const) {
    for (const [name, amount] of sorted(limit[field] ?? {})) {
      yield* resourceNameFaults(name, `${at}.${field}[${name}]`);
      yield* quantityFaults(name, amount, `${at}.${field}[${name}]`);
    }
  }
}

/** min ≤ defaultRequest ≤ default ≤ max. */
function* orderFaults(limit: LimitRangeItem, at: string): Generator<FieldFault> {
  const { default: normal = {}, defaultRequest = {}, max = {}, min = {} } = limit;
  const names = new Set([
    ...Object.keys(max),
    ...Object.keys(min),
    ...Object.keys(normal),
    ...Object.keys(defaultRequest),
  ]);
  for (const name of [...names].sort()) {
    const pairs = [
      ["min", min[name], "max", max[name], "min value"],
      ["defaultRequest", min[name], "", defaultRequest[name], "min value"],
      ["defaultRequest", defaultRequest[name], "max value", max[name], "default request value"],
      ["defaultRequest", defaultRequest[name], "default limit value", normal[name], "default request value"],
      ["default", min[name], "default value", normal[name], "min value"],
      ["default", normal[name], "max value", max[name], "default value"],
    ] as const;
    for (const [field, low, what, high, who] of pairs) {
      if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) continue;
      const target = what === "max" ? "max value" : what || "default request value";
      yield invalid(`${at}.${field}[${name}]`, low, `${who} ${low} is greater than ${target} ${high}`);
    }
  }
  for (const [name, ratio] of sorted(limit.maxLimitRequestRatio ?? {})) {
    if (compareQuantities(ratio, "1") < 0)
      yield invalid(`${at}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`);
  }
}
