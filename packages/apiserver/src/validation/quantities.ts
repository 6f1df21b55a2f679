import { Quantity } from "@dhow/kube";

// Decoding refuses what is no quantity, so these need not. Many pods ask for the same few amounts.
const parsed = new Map<string, Quantity>();
const parsedLimit = 1000;

export function quantity(text: string | number): Quantity {
  const key = String(text);
  let value = parsed.get(key);
  if (!value) {
    value = Quantity.parse(key);
    if (parsed.size >= parsedLimit) parsed.clear();
    parsed.set(key, value);
  }
  return value;
}

/** Negative where `a` is less than `b`, zero where they are the same amount. */
export function compareQuantities(a: string, b: string): number {
  return quantity(a).compare(quantity(b));
}

/** Whether an amount is a whole number. */
export function wholeUnits(text: string): boolean {
  return quantity(text).milliValue() % 1000 === 0;
}
