import { setTimeout } from "node:timers/promises";
import type { Place } from "./backends.ts";

/** nginx' proxy_next_upstream_tries in ingress-nginx. */
export const mostTries = 3;

/** Milliseconds that a pod's way into the endpoints may take, on a machine that is busy. */
const patience = 300;

/**
 * The pod to try next. Where all that are known have failed, the one that takes their place may be ready already and on its way into the
 * endpoints: it is waited for a moment instead of knocking at a closed door three times in a millisecond.
 */
export async function placeToTry(
  next: (tried: readonly Place[]) => Place | undefined,
  tried: readonly Place[],
): Promise<Place | undefined> {
  const place = next(tried);
  const hasFailed = tried.some((other) => other.address === place?.address && other.port === place.port);
  if (!hasFailed) return place;
  await setTimeout(patience);
  return next(tried);
}
