import { messageOf } from "@dhow/base";
import {
  badRequest,
  type FieldRequirement,
  type KubeObject,
  labelMatcher,
  parseFieldSelector,
  parseLabelSelector,
  quote,
} from "@dhow/kube";
import type { Resource } from "./resource.ts";
import { wordedTheOlderWay } from "./selectable-fields.ts";

/** Which objects of a collection a list, watch or deletion is about. */
export interface Selection {
  /** Whether everything is selected, so that `matches` need not be asked. */
  readonly everything: boolean;
  matches(object: KubeObject): boolean;
}

const everything: Selection = { everything: true, matches: () => true };

type Test = (object: KubeObject) => boolean;

/** Reads `labelSelector` and `fieldSelector`; throws 400 as the server words it. */
export function parseSelection(resource: Resource, query: URLSearchParams): Selection {
  const tests = [
    labelTest(query.get("labelSelector") ?? ""),
    ...fieldTests(resource, query.get("fieldSelector") ?? ""),
  ];
  const wanted = tests.filter((test) => test !== undefined);
  if (wanted.length === 0) return everything;
  return { everything: false, matches: (object) => wanted.every((test) => test(object)) };
}

function labelTest(text: string): Test | undefined {
  if (text === "") return undefined;
  const matches = labelMatcher(asked(() => parseLabelSelector(text)));
  return (object) => matches(object.metadata.labels);
}

function fieldTests(resource: Resource, text: string): (Test | undefined)[] {
  if (text === "") return [];
  return asked(() => parseFieldSelector(text)).map((requirement) => fieldTest(resource, requirement));
}

/** What cannot be read is the client's fault. */
function asked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw badRequest(messageOf(error));
  }
}

function fieldTest(resource: Resource, { field, operator, value }: FieldRequirement): Test {
  const read = fieldReader(resource, field);
  return operator === "!=" ? (object) => read(object) !== value : (object) => read(object) === value;
}

function fieldReader(resource: Resource, field: string): (object: KubeObject) => string {
  if (field === "metadata.name") return (object) => object.metadata.name ?? "";
  if (field === "metadata.namespace") return (object) => object.metadata.namespace ?? "";
  const read = Object.hasOwn(resource.selectableFields, field) ? resource.selectableFields[field] : undefined;
  if (read) return read;
  if (resource.custom || wordedTheOlderWay.has(resource.name)) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(`${quote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
}
