import { badRequest, clone, type HttpResponse, type KubeObject, mergePatch, notFound, unknownMethod } from "@dhow/kube";
import { decodeBody } from "../http/decode.ts";
import type { Exchange } from "../http/dispatch.ts";
import { negotiate } from "../http/negotiation.ts";
import { renderObject } from "../http/render.ts";
import { appliedValue } from "../registry/apply.ts";
import type { Call } from "../registry/call.ts";
import { parseWriteOptions, type WriteOptions } from "../registry/options.ts";
import { applyPatchType, decodePatched, patchReader } from "../registry/patch.ts";
import type { ObjectAnswer } from "../registry/registry.ts";
import { requestedKey, served } from "../registry/resource.ts";
import { updateObject } from "../registry/update.ts";
import type { Strategy } from "../strategy.ts";

/** A subresource that shows a part of an object, or another object instead, and takes it back: scale, resize, finalize. */
export interface View {
  /** What is shown; undefined: the object itself. */
  readonly kind?: { readonly apiVersion: string; readonly kind: string };
  readonly verbs: readonly ("get" | "update" | "patch")[];
  /** The object is frozen. */
  readonly read: (object: KubeObject) => KubeObject;
  /** Puts what came back into a copy of the object; throws a StatusError to refuse. */
  readonly write: (object: KubeObject, wish: KubeObject) => KubeObject;
  /** Whether it is a part of the status that is written. */
  readonly ofStatus?: boolean;
  /** In place of the resource's own, where other things may change than by its main path. */
  readonly strategy?: (own: Strategy) => Strategy;
}

export async function serveView(exchange: Exchange, view: View): Promise<HttpResponse> {
  const { accept, call, renderer, verb } = exchange;
  const how = negotiate(accept, call.query, false);
  if (!view.verbs.some((offered) => offered === verb)) throw unknownMethod();
  const answer = verb === "get" ? read(exchange, view) : await write(exchange, view);
  return renderObject(renderer, undefined, answer, how);
}

function read({ call, registry }: Exchange, view: View): ObjectAnswer {
  const { name, namespace, resource } = call;
  const stored = registry.storage.get(resource.storedAs, requestedKey(resource, namespace, name));
  if (!stored) throw notFound(resource.name, name);
  return { status: 200, object: view.read(served(resource, stored)) };
}

async function write({ call, registry, verb }: Exchange, view: View): Promise<ObjectAnswer> {
  const { resource } = call;
  const kind = view.kind ?? { apiVersion: resource.apiVersion, kind: resource.info.kind };
  const strategy = view.strategy?.(resource.strategy) ?? resource.strategy;
  const optionsKind = verb === "update" ? "UpdateOptions" : "PatchOptions";
  const applied = call.contentType === applyPatchType;
  const options = parseWriteOptions(optionsKind, call.query, verb === "patch" && applied);
  const wishOf = verb === "update" ? sent(call, kind, options.fieldValidation) : patched(call, view, kind);
  const answer = await updateObject(
    registry,
    { ...call, resource: { ...resource, strategy }, ...(view.ofStatus ? { subresource: "status" } : {}) },
    {
      options,
      optionsKind,
      produce(current) {
        const wish = wishOf(current);
        checkName(call, wish);
        const object = view.write(clone(current), wish);
        const { resourceVersion } = wish.metadata;
        if (resourceVersion) object.metadata.resourceVersion = resourceVersion;
        else delete object.metadata.resourceVersion;
        return object;
      },
    },
  );
  return { status: answer.status, object: view.read(answer.object) };
}

/** What a body wishes: read before it is known whether there is anything to write to, and anew for each try. */
function sent(call: Call, kind: { apiVersion: string; kind: string }, validation: WriteOptions["fieldValidation"]) {
  const first = decodeBody(call, kind, validation);
  return () => clone(first);
}

function patched(
  call: Call,
  view: View,
  kind: { apiVersion: string; kind: string },
): (current: KubeObject) => KubeObject {
  if (call.contentType === applyPatchType) {
    const wish = appliedValue(call);
    return (current) => decodePatched(mergePatch(view.read(current), wish), kind).object;
  }
  const patch = patchReader(call);
  return (current) => decodePatched(patch(view.read(current)), kind).object;
}

function checkName({ name, namespace }: Call, { metadata }: KubeObject): void {
  if (metadata.name && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}
