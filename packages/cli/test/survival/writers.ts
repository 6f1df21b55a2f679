// Writers of the API that remember what was acknowledged, and compare it with what is there.
import { isStatusError, type KubeClient, type KubeObject, type ObjectRef } from "@dhow/kube";
import type { Revisions } from "./revisions.ts";

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** What an object is: its value, or that there is none. */
type State = string | undefined;

interface Known {
  state: State;
  /** What a request that nobody answered may have made of it. */
  doubt: { readonly state: State } | undefined;
}

const kind = { apiVersion: "v1", kind: "ConfigMap" };
export const written = "survival=written";

/** How many objects one writer has. */
const objects = 20;

export interface WritersOptions {
  /** The client of the cluster as it is now: after a restart of everything it is another. */
  readonly client: () => KubeClient;
  readonly namespace: string;
  readonly revisions: Revisions;
  readonly count: number;
}

export class Writers {
  /** How many writes have been acknowledged, and how many nobody answered. */
  acknowledged = 0;
  unanswered = 0;
  /** What was acknowledged and is not there. */
  readonly lost: string[] = [];
  /** What the server refused although nothing was wrong with it. */
  readonly refused: string[] = [];
  readonly #options: WritersOptions;
  readonly #known = new Map<string, Known>();
  #running: Promise<unknown> | undefined;
  #stop = new AbortController();

  constructor(options: WritersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stop = new AbortController();
    this.#running = Promise.all(Array.from({ length: this.#options.count }, (_, writer) => this.#write(writer)));
  }

  /** Resolves when what has been sent is answered, or has been given up. */
  async pause(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Compares everything that is there with everything that was acknowledged; to be called while nobody writes. */
  async compare(): Promise<true> {
    const { client, namespace } = this.#options;
    const { items } = await client().list<ConfigMap>({ ...kind, namespace }, { labelSelector: written });
    const there = new Map(items.map((item) => [item.metadata.name ?? "", item.data?.["value"]]));
    for (const [name, known] of this.#known) {
      const state = there.get(name);
      if (state !== known.state && !(known.doubt && known.doubt.state === state))
        this.lost.push(`${name} is ${state}, was acknowledged as ${known.state}`);
      known.state = state;
      known.doubt = undefined;
    }
    for (const name of there.keys()) if (!this.#known.has(name)) this.lost.push(`${name} was never written`);
    return true;
  }

  async #write(writer: number): Promise<void> {
    let last = 0;
    for (let turn = 0; !this.#stop.signal.aborted; turn++) {
      const name = `written-${writer}-${turn % objects}`;
      const known = this.#known.get(name) ?? { state: undefined, doubt: undefined };
      this.#known.set(name, known);
      // What became of an unanswered write is found out by the next comparison.
      if (known.doubt) {
        await pause(10);
        continue;
      }
      const removes = known.state !== undefined && turn % 7 === 0;
      const wanted: State = removes ? undefined : `${Date.now()}-${turn}`;
      known.doubt = { state: wanted };
      try {
        const answer = await this.#send(name, known.state, wanted, turn);
        if (answer) last = this.#options.revisions.note(answer, last);
        known.state = wanted;
        known.doubt = undefined;
        this.acknowledged += 1;
      } catch (error) {
        if (isStatusError(error)) this.refused.push(`${name}: ${error.message}`);
        this.unanswered += 1;
        await pause(20);
      }
    }
  }

  /** A create, an update, three patches or a deletion, in turn. */
  async #send(name: string, state: State, wanted: State, turn: number): Promise<KubeObject | undefined> {
    const { namespace } = this.#options;
    const client = this.#options.client();
    const ref: ObjectRef = { ...kind, namespace, name };
    const [key = "", value = ""] = written.split("=");
    const object: ConfigMap = {
      ...kind,
      metadata: { name, namespace, labels: { [key]: value } },
      data: { value: wanted ?? "" },
    };
    const signal = AbortSignal.timeout(15_000);
    if (wanted === undefined) {
      await client.delete(ref, { signal });
      return undefined;
    }
    if (state === undefined) return client.create(object, { signal });
    if (turn % 3 === 0) return client.update(object, { signal });
    if (turn % 3 === 1) return client.patch(ref, "merge", { data: { value: wanted } }, { signal });
    return client.apply(object, { fieldManager: "survival", force: true, signal });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
