/** Gives all values that a path leads to. */
export type JsonPath = (value: unknown) => unknown[];

type Step = (value: unknown) => unknown[];
type Fields = Record<string, unknown>;

const field =
  (name: string): Step =>
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
    return [(value as Fields)[name]];
  };
const all: Step = (value) => {
  if (Array.isArray(value)) return value;
  return typeof value === "object" && value !== null ? Object.values(value) : [];
};
const item =
  (at: number): Step =>
  (value) => {
    const found: unknown = Array.isArray(value) ? value.at(at) : undefined;
    return found === undefined ? [] : [found];
  };

const token =
  /\.(\*)|\.((?:\\.|[^.[\]\\])+)|\[(-?\d+)\]|\[(\*)\]|\['((?:\\.|[^'\\])+)'\]|\[\?\(@([^=<>!]+?)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.]+))\s*\)\]/y;

function stepOf(match: RegExpExecArray): Step {
  const [, star, name, index, everything, quoted, left, operator, ...right] = match;
  if (star || everything) return all;
  if (index !== undefined) return item(Number(index));
  const key = name ?? quoted;
  if (key !== undefined) return field(key.replaceAll(/\\(.)/g, "$1"));
  const read = parseJsonPath(left ?? "") ?? (() => []);
  const wanted = right.find((one) => one !== undefined) ?? "";
  return (value) => all(value).filter((one) => (String(read(one)[0]) === wanted) === (operator === "=="));
}

/**
 * Reads a path as printer columns have them: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.metadata.labels['a\.b']`
 * (client-go/util/jsonpath, of which this is what definitions use). Undefined where it is none.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (!match) return undefined;
    const next = token.lastIndex;
    steps.push(stepOf(match));
    token.lastIndex = next;
    if (next === at) return undefined;
  }
  return (value) => steps.reduce<unknown[]>((values, step) => values.flatMap(step), [value]);
}
