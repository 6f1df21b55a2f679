/** Factors of a quantity's suffix, in thousandths (apimachinery/pkg/api/resource/quantity.go). */
const factors: Readonly<Record<string, bigint>> = {
  n: 0n,
  u: 0n,
  m: 1n,
  "": 1000n,
  k: 10n ** 6n,
  M: 10n ** 9n,
  G: 10n ** 12n,
  T: 10n ** 15n,
  P: 10n ** 18n,
  E: 10n ** 21n,
  Ki: 1000n << 10n,
  Mi: 1000n << 20n,
  Gi: 1000n << 30n,
  Ti: 1000n << 40n,
  Pi: 1000n << 50n,
  Ei: 1000n << 60n,
};

/** A quantity such as `250m`, `1.5Gi` or `1e3` in thousandths, rounded up, as the kubelet uses it. */
export function milliValue(quantity: string): bigint {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(quantity.trim());
  if (!match) return 0n;
  const [, sign, whole = "", fraction = "", exponent, suffix = ""] = match;
  const digits = BigInt(`${whole}${fraction}` || "0");
  const small = suffix === "n" ? 10n ** 6n : suffix === "u" ? 1000n : 1n;
  let numerator = digits * (suffix === "n" || suffix === "u" ? 1n : (factors[suffix] ?? 1000n));
  let denominator = 10n ** BigInt(fraction.length) * small;
  const power = Number(exponent ?? 0);
  if (power > 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  const value = (numerator + denominator - 1n) / denominator;
  return sign === "-" ? -value : value;
}

/** A quantity in whole units, rounded up: bytes of memory. */
export function unitValue(quantity: string): number {
  return Number((milliValue(quantity) + 999n) / 1000n);
}
