import { Quantity } from "@dhow/kube";

/** Quantities are few and come back all the time, so each text is parsed once. */
const parsed = new Map<string, { value: number; milli: number }>();

function parse(text: string): { value: number; milli: number } {
  let numbers = parsed.get(text);
  if (!numbers) {
    numbers = read(text);
    if (parsed.size > 10_000) parsed.clear();
    parsed.set(text, numbers);
  }
  return numbers;
}

function read(text: string): { value: number; milli: number } {
  try {
    const quantity = Quantity.parse(text);
    return { value: quantity.value(), milli: quantity.milliValue() };
  } catch {
    return { value: 0, milli: 0 };
  }
}

/** A quantity in whole units, rounded up: for arithmetic that compares, such as scheduling. Nothing is 0. */
export function quantityValue(text: string | undefined): number {
  return text === undefined ? 0 : parse(text).value;
}

/** A quantity in thousandths, rounded up. */
export function milliValue(text: string | undefined): number {
  return text === undefined ? 0 : parse(text).milli;
}
