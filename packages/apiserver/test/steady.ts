/** Values that differ from run to run. */
const volatile = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "time",
  "continue",
  "remainingItemCount",
]);

/** A value with what differs from run to run replaced by its name. */
export function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value === "string") {
    return value
      .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uid>")
      .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "<time>")
      .replace(/(current: |record \()\d+/g, "$1<revision>")
      .replace(/((?:resourceVersion: |resourceVersion":)")\d+"/g, '$1<revision>"')
      .replace(/(resourceVersion\\+":\\+")\d+/g, "$1<revision>")
      .replace(/((?:uid|creationTimestamp): )"?<(?:uid|time)>"?/g, "$1<value>");
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, volatile.has(name) ? `<${name}>` : steady(field)]),
  );
}
