import { badRequest, quote } from "@dhow/kube";

/** Go's reading of a truth in a query (apimachinery/pkg/runtime/converter.go Convert_Slice_string_To_bool): all but `false` and `0` is true. */
export function isTrue(value: string | null): boolean {
  return value !== null && value.toLowerCase() !== "false" && value !== "0";
}

const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];

/** A whole number of 64 bits; undefined where the parameter is not there. Throws 400 in the words of Go's strconv. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
  const value = BigInt(text.replace("+", ""));
  if (value < least || value > most) throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  return Number(value);
}
