import type { Strategy } from "../strategy.ts";

/** pkg/registry/core/serviceaccount/strategy.go: nothing but metadata is checked, and tokens are asked for, not stored. */
export const serviceAccounts: Strategy = {};
