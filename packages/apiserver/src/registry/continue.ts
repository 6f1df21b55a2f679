import { messageOf } from "@dhow/base";
import { badRequest, parseJson, StatusError } from "@dhow/kube";

/** Where the next page of a list begins, and the revision that all pages show; -1: whatever is there then. */
export interface ContinueToken {
  readonly revision: number;
  /** The first key of the next page. */
  readonly start: string;
}

/** The form is that of apiserver/pkg/storage/continue.go. */
export function encodeContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start })).toString("base64url");
}

export function decodeContinue(text: string): ContinueToken {
  const fail = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = parseJson(Buffer.from(text, "base64url").toString("latin1")) as typeof token;
  } catch (error) {
    throw fail(messageOf(error));
  }
  const { v, rv, start } = token;
  if (v !== "meta.k8s.io/v1") throw fail(`server does not recognize this encoded version ${JSON.stringify(v ?? "")}`);
  if (typeof rv !== "number" || rv === 0)
    throw fail("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof start !== "string" || start === "") {
    throw fail("encoded start key empty (version meta.k8s.io/v1)");
  }
  return { revision: rv, start };
}

/** The pages' revision is forgotten; the token in the answer goes on without consistency (etcd3/errors.go). */
export function continueExpired(token: ContinueToken): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: { continue: encodeContinue({ revision: -1, start: token.start }) },
    status: "Failure",
    message:
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    reason: "Expired",
    code: 410,
  });
}
