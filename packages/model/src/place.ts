import { fileURLToPath } from "node:url";
import type { Place } from "@dhow/base";

const ownFolder = new URL(".", import.meta.url).href;
// Node's own frames, `node:internal/modules/…`, have no file.
const aFrame = /(?<=[\s(])(file:\/\/[^)]+|\/[^)\s]+):(\d+):(\d+)\)?$/;

/** Where the user's file calls into this package: the first frame of the stack that is not our own. */
export function callingPlace(): Place | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const stack = new Error("place").stack ?? "";
  Error.stackTraceLimit = limit;
  return placeInStack(stack);
}

/** The first frame of a stack that lies in a user's file: neither Node's, nor this package's, nor under node_modules. */
export function placeInStack(stack: string): Place | undefined {
  for (const line of stack.split("\n").slice(1)) {
    const frame = aFrame.exec(line.trim());
    if (!frame?.[1]) continue;
    const url = frame[1].startsWith("/") ? `file://${frame[1]}` : frame[1];
    if (url.startsWith(ownFolder) || url.includes("/node_modules/")) continue;
    return { file: fileURLToPath(url.replace(/\?.*$/, "")), line: Number(frame[2]), column: Number(frame[3]) };
  }
  return undefined;
}
