import { type LabelMatcher, type LabelSelector, selectorMatcher } from "@dhow/kube";

export type { LabelMatcher };
export type Labels = Readonly<Record<string, string>>;

/** Whether labels are selected. No selector selects nothing, an empty one everything, and one that is not valid (the server lets none in) nothing. */
export function labelSelectorMatcher(selector: LabelSelector | undefined): LabelMatcher {
  try {
    return selectorMatcher(selector);
  } catch {
    return () => false;
  }
}

/** Whether a Service's plain map selects labels; an empty map selects nothing. */
export function selects(selector: Labels | undefined, labels: Labels | undefined): boolean {
  const entries = Object.entries(selector ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value);
}
