// The random moments of a run: the same seed gives the same kills at the same moments.

export interface Moments {
  readonly seed: number;
  /** A number from 0 to 1, 1 excluded. */
  next(): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  /** One of them, each as often as its weight says. */
  pick<T extends string>(weights: Readonly<Record<T, number>>): T;
}

/** DHOW_SEED repeats a run. The generator is mulberry32 (Tommy Ettinger, public domain). */
export function moments(seed = Number(process.env["DHOW_SEED"] ?? Date.now() % 2 ** 32)): Moments {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    pick<T extends string>(weights: Readonly<Record<T, number>>): T {
      const entries = Object.entries<number>(weights) as [T, number][];
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      return (entries.find(([, weight]) => (rest -= weight) < 0) ?? entries[0])?.[0] as T;
    },
  };
}
