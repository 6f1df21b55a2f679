import type { WatchEvent } from "@dhow/kube";

/** Takes events until `enough` says so. */
export async function collect(
  events: AsyncIterable<WatchEvent>,
  enough: (seen: WatchEvent[]) => boolean,
): Promise<WatchEvent[]> {
  const seen: WatchEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (enough(seen)) break;
  }
  return seen;
}
