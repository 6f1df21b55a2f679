import type { HttpResponse, WatchNotice } from "../http.ts";
import type { KubeObject } from "../objects.ts";
import { type Status, StatusError } from "../status.ts";

/** One line of a watch. A bookmark's object has a resourceVersion and nothing else. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: T;
}

/** Splits a stream of newline-delimited frames, which may come in pieces cut anywhere (inside a character, too), into whole lines. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #pending: string[] = [];

  /** The lines that this piece completes. */
  push(piece: string | Uint8Array): string[] {
    const text = typeof piece === "string" ? piece : this.#decoder.decode(piece, { stream: true });
    const parts = text.split("\n");
    const rest = parts.pop() ?? "";
    const lines: string[] = [];
    for (const part of parts) {
      const line = this.#pending.length > 0 ? this.#pending.join("") + part : part;
      this.#pending = [];
      if (line !== "") lines.push(line);
    }
    if (rest !== "") this.#pending.push(rest);
    return lines;
  }
}

/**
 * The events of a watch's body, in order. Ends where the server ends the watch; a last line that was cut off is not an event. Throws the StatusError of an
 * ERROR event (410 `Expired` where the resourceVersion is too old).
 */
export async function* decodeWatch<T extends KubeObject>(body: HttpResponse["body"]): AsyncGenerator<WatchEvent<T>> {
  const splitter = new LineSplitter();
  const pieces = typeof body === "string" || body instanceof Uint8Array ? [body] : body;
  for await (const piece of pieces) {
    for (const line of splitter.push(piece)) {
      yield eventOf<T>(JSON.parse(line) as WatchNotice);
    }
  }
}

/** A notice as an event; throws the StatusError of an ERROR. */
export function eventOf<T extends KubeObject>(event: WatchNotice): WatchEvent<T> {
  if (event.type === "ERROR") throw new StatusError(event.object as Status);
  return event as WatchEvent<T>;
}
