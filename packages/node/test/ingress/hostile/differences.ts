import type { Outcome } from "./conversation.ts";

export interface Difference {
  readonly why: string;
  readonly statuses: readonly number[];
  /** Nothing unless said. */
  readonly reached?: readonly string[];
}

const refused = (why: string, statuses: readonly number[] = [400]): Difference => ({ why, statuses });
const asked = (why: string, ...reached: string[]): Difference => ({ why, statuses: [200], reached });
const contradicts = "what contradicts itself, or ends elsewhere than RFC 9112 has it, is refused, not mended";
const parser = "Node's parser refuses what is no HTTP before anything else sees it";
const believed = "no client is believed about who it is";
const once =
  "the connection ends with a request that wanted another protocol: what comes behind it may have been meant for that";

/** Where this ingress answers otherwise than that of the real cluster (Traefik 3.7, with a program in Go behind it), and why. */
export const differences: Readonly<Record<string, Difference>> = {
  "a path of bytes above 127": refused(parser),
  "a path with an angle": asked("a single quote needs no escape", `public GET /public/%3Cx%3E%22'; host: any.test`),
  "authority form": refused("the method is known, and not allowed", [405]),
  "authority form for a path": refused("the method is known, and not allowed", [405]),
  "asterisk form": refused("it is about a server, and this is none"),
  "asterisk form of a GET": refused("RFC 9112, 3.2.4: for OPTIONS alone"),
  "no host, HTTP/1.0": asked("a pod's address is none of a host's names", "public GET /public; host: "),
  "an empty host": asked("a pod's address is none of a host's names", "public GET /public; host: "),
  "the same length twice": refused(contradicts),
  "a length and chunks": refused(contradicts),
  "chunks and a length": refused(contradicts),
  "chunks before a coding": refused(contradicts),
  "chunks twice": refused(contradicts),
  "no coding": refused(contradicts),
  "a coding after a tab": refused(contradicts),
  "a coding on a folded line": refused(contradicts),
  "a coding behind a line end alone": refused(contradicts),
  "chunks in HTTP/1.0": refused(contradicts),
  "a chunk whose size is none": refused(contradicts),
  "a chunk whose size is below zero": refused(contradicts),
  "a chunk whose size is beyond numbers": refused(contradicts),
  "a chunk that is longer than its size": refused(contradicts),
  "a chunk behind a line end alone": refused(contradicts),
  "who asks, by the standard": asked(believed, "public GET /public; host: any.test"),
  "a proxy for the program": asked(believed, "public GET /public; host: any.test"),
  "a value with a line end alone": refused(parser),
  "a folded line": refused(parser),
  "no version": refused("it is HTTP/0.9", [505]),
  "a line end in the target": refused("it is HTTP/0.9", [505]),
  "empty lines first": asked("RFC 9112, 2.2: one at least is to be passed over", "public GET /public; host: any.test"),
  TLS: refused(parser),
  "the preface of HTTP/2": refused(parser),
  "nothing but zeros": refused(parser),
  "an upgrade that nobody takes": asked(once, "public GET /public; host: any.test"),
  "an upgrade to a WebSocket that nobody takes": asked(once, "public GET /public; host: any.test"),
  "an upgrade with a body": asked(once, 'public POST /public; host: any.test; body "hello"'),
  "an upgrade with a line end": refused(parser),
};

/** What this ingress is to make of a case. */
export function expected(what: string, recorded: Outcome | undefined): Outcome | undefined {
  const difference = differences[what];
  return difference ? { statuses: difference.statuses, reached: difference.reached ?? [] } : recorded;
}
