import { quote } from "./quote.ts";

/**
 * What `maxSurge: 25%` or `minAvailable: 2` means of a total; percentages are rounded up or down as asked.
 * Throws an Error with the words of apimachinery/pkg/util/intstr/intstr.go where a text is no percentage.
 */
export function scaledValue(value: number | string, total: number, rounding: "up" | "down"): number {
  if (typeof value === "number") return value;
  if (!value.endsWith("%")) throw new Error("invalid value for IntOrString: invalid type: string is not a percentage");
  const digits = value.slice(0, -1);
  if (!/^[+-]?\d+$/.test(digits)) {
    throw new Error(
      `invalid value for IntOrString: invalid value ${quote(value)}: strconv.Atoi: parsing ${quote(digits)}: invalid syntax`,
    );
  }
  const share = (Number(digits) * total) / 100;
  return rounding === "up" ? Math.ceil(share) : Math.floor(share);
}
