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
    // Which must not be above which, whose field is blamed, and with which of the two values (ValidateLimitRange).
    const orders = [
      ["min", min[name], "min value", max[name], "max value", min[name]],
      ["defaultRequest", min[name], "min value", defaultRequest[name], "default request value", defaultRequest[name]],
      ["defaultRequest", defaultRequest[name], "default request value", max[name], "max value", defaultRequest[name]],
      [
        "defaultRequest",
        defaultRequest[name],
        "default request value",
        normal[name],
        "default limit value",
        defaultRequest[name],
      ],
      ["default", min[name], "min value", normal[name], "default value", min[name]],
      ["default", normal[name], "default value", max[name], "max value", max[name]],
    ] as const;
    for (const [field, low, lowName, high, highName, blamed] of orders) {
      if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) continue;
      yield invalid(`${at}.${field}[${name}]`, blamed, `${lowName} ${low} is greater than ${highName} ${high}`);
    }
  }
  for (const [name, ratio] of sorted(limit.maxLimitRequestRatio ?? {})) {
    if (compareQuantities(ratio, "1") < 0)
      yield invalid(`${at}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`);
  }
}
