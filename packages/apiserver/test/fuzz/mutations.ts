import * as fc from "fast-check";
import { texts, values } from "./values.ts";

type Path = readonly (string | number)[];

/** One change of an object, and one of its text; `where` picks the place among all there are. */
export interface Mutation {
  readonly where: number;
  readonly how: "replace" | "remove" | "rename" | "repeat" | "wrap" | "add";
  readonly value: unknown;
  readonly name: string;
}

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    where: fc.nat(100_000),
    how: fc.constantFrom("replace", "replace", "replace", "remove", "rename", "repeat", "wrap", "add"),
    value: values,
    name: fc.constantFrom<string>(...texts),
  }),
  { maxLength: 3 },
);

/** A copy with something changed somewhere. */
export function mutated(object: unknown, { how, name, value, where }: Mutation): unknown {
  const copy = structuredClone(object);
  const paths = pathsOf(copy);
  const path = paths[where % paths.length] ?? [];
  const key = path.at(-1);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<string | number, unknown> | undefined)?.[step], copy);
  if (key === undefined || typeof parent !== "object" || parent === null) return how === "wrap" ? [copy] : copy;
  const fields = parent as Record<string | number, unknown>;
  if (how === "replace") fields[key] = value;
  else if (how === "wrap") fields[key] = [fields[key]];
  else if (how === "repeat" && Array.isArray(fields[key])) fields[key].push(...(fields[key] as unknown[]));
  else if (how === "add" || how === "repeat") set(fields, name, value);
  else {
    if (how === "rename") set(fields, name, fields[key]);
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete fields[key];
  }
  return copy;
}

function set(fields: object, name: string, value: unknown): void {
  if (Array.isArray(fields)) return void fields.push(value);
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) =>
      pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

/** A change of bytes. */
export type Damage = (text: string) => Uint8Array;

/** Mostly none. */
export const damages: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 10, arbitrary: fc.constant((text: string) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc
      .double({ min: 0, max: 1, noNaN: true })
      .map((part) => (text: string) => Buffer.from(text).subarray(0, part * text.length)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(5000), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([at, bytes]) => (text: string) => {
        const whole = Buffer.from(text);
        const place = at % (whole.length + 1);
        return Buffer.concat([whole.subarray(0, place), bytes, whole.subarray(place)]);
      }),
  },
  { weight: 1, arbitrary: fc.constant((text: string) => Buffer.from(text.replace(/"(\w+)":/, '"$1":null,"$1":'))) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => () => Buffer.concat([Buffer.from("k8s\0"), bytes])),
  },
);
