import { ApiError, type Page } from "@bookmeup/contract";

/** Where a list goes on: the sort key and the id of the last row of the page before. */
export interface Cursor {
  readonly time: string;
  readonly id: string;
}

export function readCursor(after: string | undefined): Cursor | undefined {
  if (after === undefined) return undefined;
  const [time, id] = Buffer.from(after, "base64url").toString().split(" ");
  if (!time || !id || Number.isNaN(Date.parse(time)) || !/^[0-9a-f-]{36}$/.test(id))
    throw new ApiError(400, "INVALID", "Not from a list of this kind", { field: "after" });
  return { time, id };
}

/** Makes a page of `limit` from rows of which one more than that was asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  place: (row: Row) => { time: Date; id: string },
  item: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || !last) return { items: shown.map(item) };
  const { time, id } = place(last);
  return { items: shown.map(item), next: Buffer.from(`${time.toISOString()} ${id}`).toString("base64url") };
}
