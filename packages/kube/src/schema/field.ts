import type { ValueSchema } from "./schema.ts";

/** How server-side apply treats a list: as one value, as a set, or by keys. */
export type ListType = "atomic" | "set" | "map";

function choices(text: string | undefined): readonly string[] | undefined {
  return text?.split("|").map((choice) => choice.replaceAll("%20", " "));
}

/**
 * What is known of one field. A line of the table reads `<number> <type> <flags>`, such as
 * `7 []core.v1.EnvVar list=map:name key=name patch=merge`:
 * the protobuf number (`2.1` inside an embedded message, 0 none); the type, `*` where Go has a pointer to a scalar or struct;
 * `!` required, `+` written even when empty, `wrapped` map values are messages of `items`, `list=`/`map=` of server-side apply,
 * `key=`/`patch=` of strategic merge, `default=`, `enum=` and `each=` (of elements; spaces as `%20`), and for messages of the decoder `in=` embedded structs, `go=` the Go type.
 */
export class FieldSchema {
  readonly name: string;
  /** A pointer in Go: an explicit zero is something else than nothing. */
  readonly pointer: boolean;
  /** Numbers of the protobuf fields that lead to it; empty: it is not in protobuf. */
  readonly path: readonly number[];
  readonly required: boolean;
  /** Go writes it even when it is zero (no `omitempty`). */
  readonly always: boolean;
  readonly wrapped: boolean;
  readonly listType: ListType | undefined;
  readonly listKeys: readonly string[];
  readonly mapType: "atomic" | "granular" | undefined;
  readonly mergeKey: string | undefined;
  /** Of strategic merge: `merge`, `replace`, `retainKeys`. */
  readonly patchStrategies: readonly string[];
  /** Published default, where it is not the zero value. */
  readonly default: unknown;
  readonly enum: readonly string[] | undefined;
  /** The same for the elements of a list or the values of a map. */
  readonly elementEnum: readonly string[] | undefined;
  /** Embedded Go structs on the way to it, as messages name them; empty: none. */
  readonly embedded: string;
  /** Named Go type, where it is not plain from the type. */
  readonly goType: string | undefined;
  readonly #type: string;
  readonly #resolve: (type: string) => ValueSchema;
  #value: ValueSchema | undefined;

  constructor(name: string, text: string, resolve: (type: string) => ValueSchema) {
    const [path = "0", type = "any", ...words] = text.split(" ");
    const flag = (prefix: string): string | undefined =>
      words.find((word) => word.startsWith(prefix))?.slice(prefix.length);
    const [listType, keys] = (flag("list=") ?? "").split(":");
    const published = flag("default=");
    this.name = name;
    this.path = path === "0" ? [] : path.split(".").map(Number);
    this.pointer = type.startsWith("*");
    this.required = words.includes("!");
    this.always = words.includes("+");
    this.wrapped = words.includes("wrapped");
    this.listType = listType ? (listType as ListType) : undefined;
    this.listKeys = keys?.split(",") ?? [];
    this.mapType = flag("map=") as "atomic" | "granular" | undefined;
    this.mergeKey = flag("key=");
    this.patchStrategies = flag("patch=")?.split(",") ?? [];
    this.default = published === undefined ? undefined : JSON.parse(published);
    this.enum = choices(flag("enum="));
    this.elementEnum = choices(flag("each="));
    this.embedded = flag("in=") ?? "";
    this.goType = flag("go=");
    this.#type = this.pointer ? type.slice(1) : type;
    this.#resolve = resolve;
  }

  get value(): ValueSchema {
    this.#value ??= this.#resolve(this.#type);
    return this.#value;
  }

  /** The type as the table writes it, without the pointer. */
  get type(): string {
    return this.#type;
  }
}
