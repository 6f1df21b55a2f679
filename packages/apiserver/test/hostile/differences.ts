/** Where this server does not answer what the recorded one did, and why that is so. */
export interface Difference {
  readonly because: string;
  /** The status that it gives instead; without it only words differ: status, type and reason are the same. */
  readonly status?: number;
}

const words = (because: string, ...requests: readonly string[]) =>
  requests.map((why): [string, Difference] => [why, { because }]);
const another = (status: number, because: string, ...requests: readonly string[]) =>
  requests.map((why): [string, Difference] => [why, { because, status }]);

export const differences: ReadonlyMap<string, Difference> = new Map([
  ...words(
    "the deployment controller runs beside the recorded server and has annotated the object by then, or not",
    "the Deployment that is patched",
    "strategic: null",
    "strategic: deleting from a list that is none",
    "strategic: deleting from a list, with text",
  ),
  ...words(
    "Go's YAML reader has words of its own",
    "YAML that is no map",
    "YAML with a broken line",
    "YAML with tabs",
    "YAML with an alias that is not there",
    "YAML with a tag that runs code",
    "YAML with a key that is a map",
    "YAML with NUL",
    "YAML with invalid UTF-8",
    "apply: no YAML",
  ),
  ...words("Go's writer of YAML folds long lines", "a refusal in YAML"),
  ...words(
    "a key that comes twice in YAML or in a patch is not warned of",
    "merge patch: twice the same key",
    "YAML with a key twice",
    "apply: a duplicate key",
  ),
  ...words(
    "Go's readers of protobuf, which are generated for each type, have words of their own",
    "protobuf with a length beyond 64 bits",
    "protobuf with a wire type that there is none of",
    "protobuf with an end of a group",
    "protobuf with field zero",
  ),
  ...words(
    "Go shows bytes where JavaScript has characters",
    "a byte order mark",
    "invalid UTF-8 within a name",
    "a name with bytes above 127",
  ),
  ...words("a number is read before anybody asks how it was written", "replicas beyond 64 bits"),
  ...words("managed fields that cannot be read are kept as they came", "managed fields with nonsense within"),
  ...words("a name that is made is another one each time", "a generated name that climbs"),
  ...words(
    "Go's types take the patch before it becomes an object, and blame it instead of the object",
    "strategic: __proto__",
    "strategic: replicas as an object",
    "strategic: containers as an object",
    "strategic: spec as a list",
  ),
  ...words("labels that are not there are an empty map here", "strategic: replacing with nothing"),
  ...words("fields stand in the order in which they were sent", "merge patch: another kind"),
  ...words(
    "each server has its own list of pages, its own version, its own description",
    "POST on the root",
    "DELETE of a page",
    "nobody, at a page for all",
  ),
  ...words("a path with double slashes is no path of the API here", "nobody, at a path with double slashes"),
  ...another(422, "a number is read before anybody asks how it was written", "replicas as an exponent"),
  ...another(
    400,
    "Node's HTTP parser refuses it before the server sees it",
    "raw bytes above 127",
    "a method of nowhere",
  ),
  ...another(400, "Go's lexer takes NUL for the end of the text", 'label selector "\\u0000"'),
]);
