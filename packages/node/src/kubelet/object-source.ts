import type { Clock } from "@dhow/base";
import { type ConfigMap, type KubeClient, type Secret, startInformer } from "@dhow/kube";
import type { ObjectReader } from "./environment/environment.ts";

interface Watched {
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
}

/** Reads ConfigMaps and Secrets one by one, as a node is allowed to, and watches those that volumes are made of. */
export class ObjectSource implements ObjectReader {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#client.find<ConfigMap>({ apiVersion: "v1", kind: "ConfigMap", namespace, name });
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#client.find<Secret>({ apiVersion: "v1", kind: "Secret", namespace, name });
  }

  /** Calls back for each change of an object until the returned function is called. One watch serves all who look at the same object. */
  watch(kind: "ConfigMap" | "Secret", namespace: string, name: string, callback: () => void): () => void {
    const key = `${kind}/${namespace}/${name}`;
    const watched = this.#watched.get(key) ?? this.#start(key, kind, namespace, name);
    watched.listeners.add(callback);
    return () => {
      watched.listeners.delete(callback);
      if (watched.listeners.size > 0) return;
      watched.stop.abort();
      this.#watched.delete(key);
    };
  }

  close(): void {
    for (const { stop } of this.#watched.values()) stop.abort();
    this.#watched.clear();
  }

  #start(key: string, kind: string, namespace: string, name: string): Watched {
    const watched: Watched = { listeners: new Set(), stop: new AbortController() };
    this.#watched.set(key, watched);
    const informer = startInformer(
      this.#client,
      { apiVersion: "v1", kind, namespace },
      { fieldSelector: `metadata.name=${name}`, signal: watched.stop.signal, clock: this.#clock },
    );
    informer.onChange(() => {
      for (const listener of watched.listeners) listener();
    });
    return watched;
  }
}
