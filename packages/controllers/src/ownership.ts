import { forbidden, isStatusError, type KubeClient, type KubeObject, refOf } from "@dhow/kube";
import { controllerOf, controllerReference, isDeleting, nameOf, uidOf } from "./objects.ts";

type Labels = Readonly<Record<string, string>>;

export interface Claim<T extends KubeObject> {
  readonly client: KubeClient;
  readonly owner: KubeObject;
  readonly matches: (labels: Labels) => boolean;
  /** What the owner controls already and what nobody controls, of the owner's namespace. */
  readonly candidates: readonly T[];
}

/**
 * The objects that an owner controls, after adopting orphans that its selector matches and releasing what it does not match any more
 * (pkg/controller/controller_ref_manager.go).
 */
export async function claim<T extends KubeObject>({ client, owner, matches, candidates }: Claim<T>): Promise<T[]> {
  const claimed: T[] = [];
  let mayAdopt: Promise<void> | undefined;
  for (const object of candidates) {
    const matching = matches(object.metadata.labels ?? {});
    const controller = controllerOf(object);
    if (controller) {
      if (controller.uid !== uidOf(owner)) continue;
      if (matching) claimed.push(object);
      else if (!isDeleting(owner)) await release(client, owner, object);
      continue;
    }
    if (isDeleting(owner) || !matching || isDeleting(object)) continue;
    mayAdopt ??= stillThere(client, owner);
    await mayAdopt;
    const adopted = await adopt(client, owner, object);
    if (adopted) claimed.push(adopted);
  }
  return claimed;
}

/** Asks the server itself, because an informer may still show an owner that has gone. */
async function stillThere(client: KubeClient, owner: KubeObject): Promise<void> {
  const fresh = await client.get(refOf(owner));
  if (uidOf(fresh) !== uidOf(owner) || isDeleting(fresh)) {
    throw forbidden(owner.kind, nameOf(owner), "the owner is gone or going, it adopts nothing");
  }
}

async function adopt<T extends KubeObject>(client: KubeClient, owner: KubeObject, object: T): Promise<T | undefined> {
  const metadata = { uid: uidOf(object), ownerReferences: [controllerReference(owner)] };
  try {
    return await client.patch<T>(refOf(object), "strategic", { metadata });
  } catch (error) {
    if (isStatusError(error, "NotFound")) return undefined;
    throw error;
  }
}

async function release(client: KubeClient, owner: KubeObject, object: KubeObject): Promise<void> {
  const metadata = { uid: uidOf(object), ownerReferences: [{ $patch: "delete", uid: uidOf(owner) }] };
  try {
    await client.patch(refOf(object), "strategic", { metadata });
  } catch (error) {
    // Gone (404), or another object of the same name by now (422 for the uid).
    if (!isStatusError(error, "NotFound") && !isStatusError(error, "Invalid")) throw error;
  }
}
