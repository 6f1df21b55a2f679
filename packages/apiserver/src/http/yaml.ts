import { parseJson } from "@dhow/kube";
import { boolYaml11Tag, CORE_SCHEMA, loadAll, mergeTag, YAMLException } from "js-yaml";

/** A fault of a text that should be YAML; the message begins with `yaml: `, as that of Go's reader does. */
export class YamlSyntaxError extends Error {}

/** What Go's reader allows too. */
const maxDepth = 10_000;

/** YAML 1.2 with what Go's reader keeps of 1.1. */
const schema = CORE_SCHEMA.withTags([mergeTag, boolYaml11Tag]);

/** Reads one YAML document; what is only there once but named many times is refused where it would grow out of proportion. Throws YamlSyntaxError. */
export function readYaml(text: string): unknown {
  const json = readJson(text);
  if (json) return json.value;
  let value: unknown;
  try {
    // The first document counts, and of a key that comes twice the last value.
    [value = null] = loadAll(text, { maxDepth, schema, json: true });
  } catch (error) {
    if (error instanceof RangeError) throw new YamlSyntaxError(`yaml: exceeded max depth of ${maxDepth}`);
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlSyntaxError(`yaml: line ${(error.mark?.line ?? 0) + 1}: ${error.reason}`);
  }
  refuseExcessiveAliasing(value);
  return value;
}

// What JSON allows and YAML does not, or not everywhere: it goes the long way.
// oxlint-disable-next-line no-control-regex
const notInYaml = /[\t\u007f-\u009f\ufeff\ufffe\uffff]|\\u[dD][89a-fA-F]/;

/** JSON is YAML, which is what most clients send as such, and is read five times as fast; undefined where the text is none. */
function readJson(text: string): { readonly value: unknown } | undefined {
  if (!text.startsWith("{") || notInYaml.test(text)) return undefined;
  try {
    return { value: parseJson(text) };
  } catch {
    return undefined;
  }
}

/**
 * goyaml's rule against texts of a kilobyte that become a gigabyte (sigs.k8s.io/yaml/goyaml.v2/decode.go, allowedAliasRatio): what comes of
 * aliases may be nearly everything of a small document, and a tenth of a large one.
 */
function refuseExcessiveAliasing(value: unknown): void {
  const sizes = new Map<object, number>();
  const total = sizeOf(value, sizes, new Set());
  let distinct = 1;
  for (const node of sizes.keys()) distinct += Object.keys(node).length;
  const aliased = total - distinct;
  if (aliased > 100 && total > 1000 && aliased / total > allowedRatio(total))
    throw new YamlSyntaxError("yaml: document contains excessive aliasing");
}

function allowedRatio(total: number): number {
  const [low, high] = [400_000, 4_000_000];
  if (total <= low) return 0.99;
  return total >= high ? 0.1 : 0.99 - (0.89 * (total - low)) / (high - low);
}

/** How many values there are, those that are shared counted as often as they are named. */
function sizeOf(value: unknown, sizes: Map<object, number>, above: Set<object>): number {
  if (typeof value !== "object" || value === null) return 1;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  if (above.has(value)) throw new YamlSyntaxError("yaml: anchor value contains itself");
  above.add(value);
  let size = 1;
  for (const one of Object.values(value)) size += sizeOf(one, sizes, above);
  above.delete(value);
  sizes.set(value, size);
  return size;
}
