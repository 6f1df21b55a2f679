/** IPv4 addresses as numbers, and the ranges that pods' addresses come from. */

export function addressToNumber(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

export function numberToAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

export interface Cidr {
  readonly first: number;
  /** How many addresses; a power of two. */
  readonly size: number;
}

/** `10.244.1.0/24`; host bits are ignored, as in an ipBlock. */
export function parseCidr(text: string): Cidr {
  const [address = "", bits = "32"] = text.split("/");
  const size = 2 ** (32 - Number(bits));
  return { first: Math.floor(addressToNumber(address) / size) * size, size };
}

/** Gives addresses in turn, so that one that was given back is not used again at once (as the host-local CNI plugin does). */
export class AddressRange {
  readonly #cidr: Cidr;
  readonly #taken = new Set<number>();
  #next = 2;

  constructor(cidr: string) {
    this.#cidr = parseCidr(cidr);
  }

  /** The network's own address, the first and the last one are left alone. */
  take(): string {
    const usable = this.#cidr.size - 3;
    for (let tried = 0; tried < usable; tried += 1) {
      const offset = this.#next;
      this.#next = this.#next >= this.#cidr.size - 2 ? 2 : this.#next + 1;
      if (this.#taken.has(offset)) continue;
      this.#taken.add(offset);
      return numberToAddress(this.#cidr.first + offset);
    }
    throw new Error(`no address is free in ${numberToAddress(this.#cidr.first)}, which has ${usable}`);
  }

  give(address: string): void {
    this.#taken.delete(addressToNumber(address) - this.#cidr.first);
  }
}
