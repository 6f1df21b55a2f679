import type { KubeObject } from "@dhow/kube";

/** Every resourceVersion that anybody has seen, and whose it is: one that comes again for another state of things is a fault. */
export class Revisions {
  readonly faults: string[] = [];
  readonly #owners = new Map<number, string>();

  get count(): number {
    return this.#owners.size;
  }

  /** `last` is the highest that this observer has seen before. Gives the object's. */
  note(object: KubeObject, last: number): number {
    const revision = Number(object.metadata.resourceVersion);
    const owner = `${object.kind} ${object.metadata.uid}`;
    const known = this.#owners.get(revision);
    if (known !== undefined && known !== owner) this.faults.push(`${revision} is of ${known} and of ${owner}`);
    if (!(revision > last)) this.faults.push(`${owner} got ${revision} after ${last}`);
    this.#owners.set(revision, owner);
    return revision;
  }
}
