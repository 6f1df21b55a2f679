// Stand-in until kube's Quantity is there.
const suffixes: Record<string, [bigint, bigint]> = {
  n: [1n, 10n ** 9n],
  u: [1n, 10n ** 6n],
  m: [1n, 1000n],
  "": [1n, 1n],
  k: [1000n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [1n << 10n, 1n],
  Mi: [1n << 20n, 1n],
  Gi: [1n << 30n, 1n],
  Ti: [1n << 40n, 1n],
  Pi: [1n << 50n, 1n],
  Ei: [1n << 60n, 1n],
};
const scale = 10n ** 9n;
function nano(text: string): bigint {
  const [, sign = "", whole = "0", fraction = "", suffix = ""] = /^([+-]?)(\d*)\.?(\d*)([a-zA-Z]*)$/.exec(text) ?? [];
  const [up, down] = suffixes[suffix] ?? [1n, 1n];
  const value = (BigInt(whole + fraction) * up * scale) / (down * 10n ** BigInt(fraction.length));
  return sign === "-" ? -value : value;
}
export function compareQuantities(a: string, b: string): number {
  const [x, y] = [nano(a), nano(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
export function wholeUnits(text: string): boolean {
  return nano(text) % scale === 0n;
}
