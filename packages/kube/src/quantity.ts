/** How a quantity is written: `100m`, `2k`; `64Mi`; `1e3`. */
type Format = "decimal" | "binary" | "exponent";

// Quantities are exact to a billionth (apimachinery/pkg/api/resource/quantity.go), so they are counted in billionths.
const one = 1_000_000_000n;
const milli = 1_000_000n;
const largestBinary = (2n ** 63n - 1n) * one;

const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const suffixOfExponent = new Map(Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const shape = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*)([-+]?\d*)$/;
const formatMessage = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** An exact amount of a resource, such as `100m` of a CPU or `64Mi` of memory. Immutable. */
export class Quantity {
  static readonly zero = new Quantity(0n, "decimal");
  readonly #billionths: bigint;
  readonly #format: Format;
  /** As it was written, where the API server keeps that. */
  readonly #text: string | undefined;

  private constructor(billionths: bigint, format: Format, text?: string) {
    this.#billionths = billionths;
    this.#format = format;
    this.#text = text;
  }

  /** Reads what a manifest may say; a number is what its digits are. Throws an Error with the API server's words. Amounts finer than a billionth are rounded up. */
  static parse(text: string | number): Quantity {
    const match = shape.exec(String(text));
    if (!match) throw new Error(formatMessage);
    const [, sign, whole = "", fraction = "", letters = "", digits = ""] = match;
    if (whole + fraction === "") throw new Error(formatMessage);
    const { base, exponent, format } = readSuffix(letters, digits);
    const mantissa = BigInt(whole + fraction);
    // mantissa × 10^-fraction × base^exponent, in billionths, rounded away from zero.
    const decimals = (base === 10 ? exponent : 0) - fraction.length + 9;
    let amount = base === 2 ? mantissa << BigInt(exponent) : mantissa;
    amount = decimals >= 0 ? amount * 10n ** BigInt(decimals) : divideUp(amount, 10n ** BigInt(-decimals));
    if (format === "binary" && amount > largestBinary) amount = largestBinary;
    const fine = format === "binary" && amount > 0n && amount < one;
    const kept = keepsText(whole, fraction, exponent, format) ? String(text) : undefined;
    return new Quantity(sign === "-" ? -amount : amount, fine ? "decimal" : format, kept);
  }

  /** So many thousandths: `Quantity.ofMilli(1500)` is `1500m`. */
  static ofMilli(thousandths: number): Quantity {
    return new Quantity(BigInt(Math.ceil(thousandths)) * milli, "decimal");
  }

  /** So many bytes, written as `Ki`, `Mi` and so on where it comes out even. */
  static ofBytes(bytes: number): Quantity {
    return new Quantity(BigInt(Math.ceil(bytes)) * one, "binary");
  }

  /** The sum, in the form of the first that is not zero. */
  add(other: Quantity): Quantity {
    const format = this.#billionths === 0n ? other.#format : this.#format;
    return new Quantity(this.#billionths + other.#billionths, format);
  }

  subtract(other: Quantity): Quantity {
    const format = this.#billionths === 0n ? other.#format : this.#format;
    return new Quantity(this.#billionths - other.#billionths, format);
  }

  /** By a whole number. */
  multiply(factor: number): Quantity {
    return new Quantity(this.#billionths * BigInt(factor), this.#format);
  }

  /** Below zero, zero or above zero, as for `sort`. */
  compare(other: Quantity): number {
    if (this.#billionths === other.#billionths) return 0;
    return this.#billionths < other.#billionths ? -1 : 1;
  }

  /** -1, 0 or 1. */
  sign(): number {
    return this.compare(Quantity.zero);
  }

  isZero(): boolean {
    return this.#billionths === 0n;
  }

  /** The whole number that is not smaller in size: bytes, counts. */
  value(): number {
    return Number(awayFromZero(this.#billionths, one));
  }

  /** Thousandths, such as thousandths of a CPU, rounded away from zero. */
  milliValue(): number {
    return Number(awayFromZero(this.#billionths, milli));
  }

  /** The canonical form, in which the API server writes it: `1536Mi` for `1.5Gi`, `500m` for `0.5`, `1` for `1000m`. */
  toString(): string {
    if (this.#text !== undefined) return this.#text;
    if (this.#billionths === 0n) return "0";
    const whole = this.#billionths % one === 0n;
    const small = this.#billionths > -1024n * one && this.#billionths < 1024n * one;
    return this.#format === "binary" && whole && !small ? this.#binary() : this.#decimal();
  }

  toJSON(): string {
    return this.toString();
  }

  #binary(): string {
    let amount = this.#billionths / one;
    let power = 0;
    while (power < binarySuffixes.length - 1 && amount % 1024n === 0n) {
      amount /= 1024n;
      power += 1;
    }
    return `${amount}${binarySuffixes[power]}`;
  }

  #decimal(): string {
    let amount = this.#billionths;
    let exponent = -9;
    const highest = this.#format === "exponent" ? Infinity : 18;
    while (exponent < highest && amount % 1000n === 0n) {
      amount /= 1000n;
      exponent += 3;
    }
    if (this.#format !== "exponent") return `${amount}${suffixOfExponent.get(exponent)}`;
    return exponent === 0 ? String(amount) : `${amount}e${exponent}`;
  }
}

function readSuffix(letters: string, digits: string): { base: 2 | 10; exponent: number; format: Format } {
  const suffix = letters + digits;
  if ((letters === "e" || letters === "E") && /\d/.test(digits)) {
    return { base: 10, exponent: Number(digits), format: "exponent" };
  }
  const decimal = Object.hasOwn(decimalSuffixes, suffix) ? decimalSuffixes[suffix] : undefined;
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "decimal" };
  const power = binarySuffixes.indexOf(suffix);
  if (power > 0) return { base: 2, exponent: power * 10, format: "binary" };
  throw new Error("unable to parse quantity's suffix");
}

/** The server leaves some texts as they are that its own canonical form would change, such as `+5` and `1.500` (ParseQuantity, "if the number is in canonical form, reuse the string"). */
function keepsText(whole: string, fraction: string, exponent: number, format: Format): boolean {
  const significant = whole.replace(/^0+/, "");
  const digits = (significant || "0") + fraction;
  if (significant === "" || digits.length > 18) return false;
  const room = 14 - digits.length - Math.floor((exponent * 3) / 10);
  if (format === "binary") return room >= 0 && fraction === "" && (Number(digits) & 7) !== 0;
  return (exponent - fraction.length) % 3 === 0 && !digits.endsWith("000");
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}

function awayFromZero(amount: bigint, by: bigint): bigint {
  return amount < 0n ? -divideUp(-amount, by) : divideUp(amount, by);
}
