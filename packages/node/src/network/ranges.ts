import { numberToAddress, parseCidr } from "../sandbox/addresses.ts";

/** IPv4 addresses from `first` to `last`, both included. */
export interface AddressSpan {
  readonly first: number;
  readonly last: number;
}

export const everyAddress: AddressSpan = { first: 0, last: 2 ** 32 - 1 };

export function spanOf(cidr: string): AddressSpan {
  const { first, size } = parseCidr(cidr);
  return { first, last: first + size - 1 };
}

/** The same addresses as spans that neither overlap nor touch, in ascending order. */
export function unite(spans: readonly AddressSpan[]): AddressSpan[] {
  const united: AddressSpan[] = [];
  for (const span of [...spans].sort((a, b) => a.first - b.first)) {
    const previous = united.at(-1);
    if (previous === undefined || span.first > previous.last + 1) united.push(span);
    else if (span.last > previous.last) united[united.length - 1] = { first: previous.first, last: span.last };
  }
  return united;
}

/** The addresses of `span` that are in none of `exceptions`. */
export function subtract(span: AddressSpan, exceptions: readonly AddressSpan[]): AddressSpan[] {
  const left: AddressSpan[] = [];
  let next = span.first;
  for (const exception of unite(exceptions)) {
    if (exception.last < next || exception.first > span.last) continue;
    if (exception.first > next) left.push({ first: next, last: exception.first - 1 });
    next = exception.last + 1;
  }
  return next > span.last ? left : [...left, { first: next, last: span.last }];
}

/** As nft writes an interval. */
export function formatSpan({ first, last }: AddressSpan): string {
  return first === last ? numberToAddress(first) : `${numberToAddress(first)}-${numberToAddress(last)}`;
}
