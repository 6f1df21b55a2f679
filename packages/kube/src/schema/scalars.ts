import { Quantity } from "../quantity.ts";
import type { Scalar } from "./schema.ts";

/** A value that is not of its field's type; the message is that of Go's decoder. */
export class DecodeError extends Error {}

const second = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d/;
const zone = /^(?:Z|[+-]\d\d:\d\d)$/;
const layoutParts: readonly (readonly [string, RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/],
  ["-", /^-/],
  ["02", /^\d\d/],
  ["T", /^T/],
  ["15", /^\d\d/],
  [":", /^:/],
  ["04", /^\d\d/],
  [":", /^:/],
  ["05", /^\d\d/],
];

/** Go's message for a time that does not fit (time/format.go). */
function timeFault(text: string, fraction: string): DecodeError {
  const layout = `2006-01-02T15:04:05${fraction}Z07:00`;
  let rest = text;
  const cannot = (part: string): DecodeError =>
    new DecodeError(
      `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`,
    );
  for (const [part, pattern] of layoutParts) {
    const match = pattern.exec(rest);
    if (!match) return cannot(part);
    rest = rest.slice(match[0].length);
  }
  if (fraction !== "") {
    const match = /^\.\d{6}/.exec(rest);
    if (!match) return cannot(fraction);
    rest = rest.slice(match[0].length);
  } else rest = rest.replace(/^\.\d+/, "");
  if (!/^(?:Z|[+-]\d\d:\d\d)/.test(rest)) return cannot("Z07:00");
  const extra = rest.replace(/^(?:Z|[+-]\d\d:\d\d)/, "");
  if (extra !== "")
    return new DecodeError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(extra)}`);
  const month = Number(text.slice(5, 7));
  const what = month < 1 || month > 12 ? "month" : Number(text.slice(11, 13)) > 23 ? "hour" : "day";
  return new DecodeError(`parsing time ${JSON.stringify(text)}: ${what} out of range`);
}

/** Whether a text that begins as `second` says has a day that its month has. */
function dayExists(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return day < 29 || day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
}

/** RFC 3339 in UTC, seconds, as metav1.Time is written. */
export function canonicalTime(text: string): string {
  const sound = second.test(text) && dayExists(text);
  if (sound && text.length === 20 && text.endsWith("Z")) return text;
  const rest = text.slice(19).replace(/^\.\d+/, "");
  const milliseconds = sound && zone.test(rest) ? Date.parse(text) : NaN;
  if (Number.isNaN(milliseconds)) throw timeFault(text, "");
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC with six digits, as metav1.MicroTime is written. */
export function canonicalMicroTime(text: string): string {
  if (!second.test(text) || !dayExists(text) || !/^\.\d{6}(?:Z|[+-]\d\d:\d\d)$/.test(text.slice(19)))
    throw timeFault(text, ".000000");
  if (text.endsWith("Z")) return text;
  return `${new Date(Date.parse(text)).toISOString().slice(0, 19)}${text.slice(19, 26)}Z`;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Go ignores line ends within base64 (encoding/base64), and writes none. */
export function canonicalBase64(text: string): string {
  if (base64.test(text)) return text;
  const plain = text.replace(/[\r\n]/g, "");
  if (base64.test(plain)) return plain;
  const bad = text.search(/[^A-Za-z0-9+/=\r\n]/);
  throw new DecodeError(`illegal base64 data at input byte ${bad >= 0 ? bad : Math.floor(plain.length / 4) * 4}`);
}

/** Texts seen before; there are few different ones, and parsing is exact but slow. */
const quantities = new Map<string, string>();

/** A quantity in its canonical form: `1.5` is `1500m`, `1024Mi` is `1Gi`. Numbers are allowed (resource.Quantity.UnmarshalJSON). */
export function canonicalQuantity(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const known = quantities.get(text);
  if (known !== undefined) return known;
  let canonical: string;
  try {
    canonical = Quantity.parse(text).toString();
  } catch (error) {
    throw new DecodeError((error as Error).message);
  }
  if (quantities.size > 1000) quantities.clear();
  quantities.set(text, canonical);
  return canonical;
}

/** What Go holds where nothing is said; undefined where that is written as null or left out. */
export function zeroOf(scalar: Scalar): unknown {
  switch (scalar) {
    case "string":
    case "bytes":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "float64":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    default:
      return undefined;
  }
}
