import { backendsOf, slicesOf } from "../network/endpoints.ts";
import type { NetworkObjects } from "../network/objects.ts";
import type { BackendRef } from "./routes.ts";

/** A pod's address with a port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Says for a Service's port which pod is next. What was removed from the endpoints is not chosen any more from that moment on. */
export class Backends {
  readonly #objects: Pick<NetworkObjects, "services" | "endpointSlices">;
  readonly #known = new Map<string, readonly Place[]>();
  readonly #turns = new Map<string, number>();
  readonly #stops: readonly (() => void)[];

  /** `removed` is told of each place that requests no longer go to. */
  constructor(objects: Pick<NetworkObjects, "services" | "endpointSlices">, removed: (place: Place) => void) {
    this.#objects = objects;
    const forget = () => {
      const before = [...this.#known];
      this.#known.clear();
      for (const [key, places] of before) {
        const { namespace, service, port } = JSON.parse(key) as BackendRef;
        const now = new Set(this.places({ namespace, service, port }).map(textOf));
        for (const place of places) if (!now.has(textOf(place))) removed(place);
        if (objects.services.get(namespace, service)) continue;
        this.#known.delete(key);
        this.#turns.delete(key);
      }
    };
    this.#stops = [objects.services.onChange(forget), objects.endpointSlices.onChange(forget)];
  }

  /** The next in turn that is not among `tried`; any other once all were. */
  next(ref: BackendRef, tried: readonly Place[] = []): Place | undefined {
    const places = this.places(ref);
    const fresh = places.filter((place) => !tried.some((other) => textOf(other) === textOf(place)));
    const candidates = fresh.length > 0 ? fresh : places;
    const key = keyOf(ref);
    const turn = this.#turns.get(key) ?? 0;
    this.#turns.set(key, turn + 1);
    return candidates[turn % candidates.length];
  }

  places(ref: BackendRef): readonly Place[] {
    const key = keyOf(ref);
    const known = this.#known.get(key) ?? this.#find(ref);
    this.#known.set(key, known);
    return known;
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #find({ namespace, service, port }: BackendRef): readonly Place[] {
    const ports = this.#objects.services.get(namespace, service)?.spec?.ports ?? [];
    const found = ports.find((candidate) =>
      typeof port === "number" ? candidate.port === port : candidate.name === port,
    );
    if (found === undefined) return [];
    const slices = slicesOf(this.#objects.endpointSlices.list(namespace), namespace, service);
    return backendsOf(slices, found.name ?? "");
  }
}

function keyOf({ namespace, service, port }: BackendRef): string {
  return JSON.stringify({ namespace, service, port });
}

function textOf({ address, port }: Place): string {
  return `${address}:${port}`;
}
