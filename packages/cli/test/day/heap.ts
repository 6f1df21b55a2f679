import { readFileSync } from "node:fs";

/** The part of V8's format that counting needs: nodes are rows of numbers, whose columns `meta` names. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: [readonly string[]] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** How many objects of each class a heap snapshot holds, and how many texts of objects of the API, of which the API server has one for each. */
export function countObjects(file: string): Map<string, number> {
  const { snapshot, nodes, strings } = JSON.parse(readFileSync(file, "utf8")) as Snapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, name] = [fields.indexOf("type"), fields.indexOf("name")];
  const [object, text] = [types[0].indexOf("object"), types[0].indexOf("string")];
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  for (let at = 0; at < nodes.length; at += fields.length) {
    const called = strings[nodes[at + name] ?? 0] ?? "";
    if (nodes[at + type] === object && /^[A-Z]\w*$/.test(called)) count(called);
    if (nodes[at + type] === text && called.startsWith('{"kind":"')) count("texts of objects of the API");
  }
  return counts;
}
