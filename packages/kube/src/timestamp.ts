let latest = { second: Number.NaN, text: "" };

/** RFC 3339 in UTC, to the second, as metadata tells times; `now` in milliseconds. Many writes fall into one second: it is written once. */
export function timestamp(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== latest.second) latest = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  return latest.text;
}
