import { randomInt } from "node:crypto";
import { isIPv4 } from "node:net";
import type { Service } from "@dhow/kube";
import type { Store } from "../store.ts";

export interface AllocatorOptions {
  /** `10.96.0.0/16` */
  readonly serviceCidr: string;
  /** Both inclusive. */
  readonly nodePortRange: readonly [number, number];
}

/** A write is done long before this, so what is still missing from the store then was refused. */
const reservationMilliseconds = 10_000;

/**
 * Addresses and ports of Services. The store is the only truth: what no stored Service has is free, so nothing leaks when a process dies
 * between two writes. What was given out and is still on its way into the store is remembered for some seconds.
 */
export class Allocators {
  readonly #store: Store;
  readonly #network: Network;
  readonly #ports: readonly [number, number];
  /** `10.96.3.4` or `30080/TCP` → until when, and for which Service. */
  readonly #reserved = new Map<string, { until: number; owner: string }>();

  constructor(store: Store, options: AllocatorOptions) {
    this.#store = store;
    this.#network = parseNetwork(options.serviceCidr);
    this.#ports = options.nodePortRange;
  }

  /** A free address, or undefined when there is none. */
  nextAddress(service: Service): string | undefined {
    const taken = this.#taken(ownerOf(service), addressesOf);
    const { first, size } = this.#network;
    // Static choices live in the lower part, as in pkg/registry/core/service/ipallocator (KEP-3070).
    const lower = size < 16 ? 0 : Math.min(256, Math.max(16, Math.floor(size / 16)));
    const found =
      pick(lower + 1, size - 2, (at) => !taken.has(textOf(first + at))) ??
      pick(1, Math.min(lower, size - 2), (at) => !taken.has(textOf(first + at)));
    if (found === undefined) return undefined;
    return this.#reserve(textOf(first + found), service);
  }

  /** Takes a wished address; gives the reason when it cannot. */
  takeAddress(service: Service, address: string): string | undefined {
    const { first, size } = this.#network;
    const at = isIPv4(address) ? numberOf(address) - first : -1;
    if (at <= 0 || at >= size - 1) {
      return "the provided network does not match the current range";
    }
    if (this.#taken(ownerOf(service), addressesOf).has(address)) return "provided IP is already allocated";
    this.#reserve(address, service);
    return undefined;
  }

  nextNodePort(service: Service): number | undefined {
    const taken = this.#taken(ownerOf(service), nodePortsOf);
    const own = new Set(nodePortsOf(service));
    const [low, high] = this.#ports;
    // As with addresses, the lower band is left to static choices (KEP-3668).
    const band = Math.min(128, Math.max(16, Math.floor((high - low + 1) / 32)));
    const free = (port: number) => !taken.has(String(port)) && !own.has(String(port));
    const found = pick(low + band, high, free) ?? pick(low, Math.min(low + band - 1, high), free);
    if (found !== undefined) this.#reserve(String(found), service);
    return found;
  }

  takeNodePort(service: Service, port: number): string | undefined {
    const [low, high] = this.#ports;
    if (port < low || port > high)
      return `provided port is not in the valid range. The range of valid ports is ${low}-${high}`;
    if (this.#taken(ownerOf(service), nodePortsOf).has(String(port))) return "provided port is already allocated";
    this.#reserve(String(port), service);
    return undefined;
  }

  /** What a Service had is free at once when it is gone, however young it was. */
  release(service: Service): void {
    const owner = ownerOf(service);
    for (const [key, reservation] of this.#reserved) if (reservation.owner === owner) this.#reserved.delete(key);
  }

  #reserve(key: string, service: Service): string {
    this.#reserved.set(key, { until: performance.now() + reservationMilliseconds, owner: ownerOf(service) });
    return key;
  }

  /** What others have, stored or on the way. */
  #taken(owner: string, holdings: (service: Service) => string[]): ReadonlySet<string> {
    const taken = new Set<string>();
    for (const service of this.#store.list<Service>("services")) {
      if (ownerOf(service) !== owner) for (const key of holdings(service)) taken.add(key);
    }
    const now = performance.now();
    for (const [key, reservation] of this.#reserved) {
      if (reservation.until < now) this.#reserved.delete(key);
      else if (reservation.owner !== owner) taken.add(key);
    }
    return taken;
  }
}

const perStore = new WeakMap<Store, Allocators>();

/** Called once by the server, before the first write; without it the ranges are those of a stock cluster. */
export function configureAllocators(store: Store, options: AllocatorOptions): void {
  perStore.set(store, new Allocators(store, options));
}

export function allocatorsOf(store: Store): Allocators {
  let allocators = perStore.get(store);
  if (!allocators) {
    allocators = new Allocators(store, { serviceCidr: "10.96.0.0/16", nodePortRange: [30000, 32767] });
    perStore.set(store, allocators);
  }
  return allocators;
}

function ownerOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function addressesOf(service: Service): string[] {
  return (service.spec?.clusterIPs ?? []).filter((address) => address !== "None");
}

function nodePortsOf({ spec }: Service): string[] {
  const ports = [...(spec?.ports ?? []).map((port) => port.nodePort), spec?.healthCheckNodePort];
  return ports.filter((port) => port !== undefined && port !== 0).map(String);
}

/** A random number in the range that fits; tries some at random, then all in order. */
function pick(low: number, high: number, fits: (candidate: number) => boolean): number | undefined {
  if (low > high) return undefined;
  for (let attempt = 0; attempt < 16; attempt += 1) {
    const candidate = randomInt(low, high + 1);
    if (fits(candidate)) return candidate;
  }
  for (let candidate = low; candidate <= high; candidate += 1) if (fits(candidate)) return candidate;
  return undefined;
}

interface Network {
  readonly first: number;
  readonly size: number;
}

function parseNetwork(cidr: string): Network {
  const [address = "", length = ""] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(numberOf(address) / size) * size;
  return { first, size };
}

/** The network's first usable address, which the `kubernetes` Service has. */
export function firstAddress(cidr: string): string {
  return textOf(parseNetwork(cidr).first + 1);
}

function numberOf(address: string): number {
  return address.split(".").reduce((total, part) => total * 256 + Number(part), 0);
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
