import { type Informer, type KubeObject, resourceByKind, startInformer } from "@dhow/kube";
import { type DiscoveredResource, discover } from "../discovery.ts";
import type { Manager } from "../manager/manager.ts";

interface Monitor {
  readonly informer: Informer;
  readonly stop: () => void;
}

export type Seen = (next: KubeObject | undefined, previous: KubeObject | undefined) => void;

/** Events and what only exists while it is asked for are nobody's property. */
function isOwnable({ verbs, group, resource }: DiscoveredResource): boolean {
  const needed = ["list", "watch", "delete"].every((verb) => verbs.includes(verb));
  return needed && !(resource === "events" && (group === "" || group === "events.k8s.io"));
}

/** Informers of everything that can be deleted, custom resources included, as they come and go. */
export class Monitors {
  readonly #manager: Manager;
  readonly #seen: Seen;
  readonly #byKind = new Map<string, Monitor>();

  constructor(manager: Manager, seen: Seen) {
    this.#manager = manager;
    this.#seen = seen;
  }

  /** Brings the informers in line with what the server serves; resolves when all of them are synced. */
  async refresh(): Promise<void> {
    const resources = (await discover(this.#manager.client)).filter(isOwnable);
    const wanted = new Set(resources.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`));
    for (const [key, monitor] of this.#byKind) {
      if (wanted.has(key)) continue;
      monitor.stop();
      this.#byKind.delete(key);
    }
    for (const { apiVersion, kind } of resources) {
      const key = `${apiVersion}/${kind}`;
      if (!this.#byKind.has(key)) this.#byKind.set(key, this.#monitor(apiVersion, kind));
    }
    await Promise.all([...this.#byKind.values()].map(({ informer }) => informer.synced));
  }

  #monitor(apiVersion: string, kind: string): Monitor {
    const { client, clock, signal } = this.#manager;
    if (resourceByKind(apiVersion, kind)) {
      const informer = this.#manager.informer({ apiVersion, kind });
      return { informer, stop: informer.onChange(this.#seen) };
    }
    const end = new AbortController();
    const informer = startInformer(
      client,
      { apiVersion, kind },
      { signal: AbortSignal.any([signal, end.signal]), clock },
    );
    informer.onChange(this.#seen);
    const stop = () => {
      const last = informer.list();
      end.abort();
      for (const object of last) this.#seen(undefined, object);
    };
    return { informer, stop };
  }
}
