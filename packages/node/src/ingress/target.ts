import type { IncomingMessage } from "node:http";

/** Where a request is to go, as its first line and its Host say. */
export interface Target {
  /** With its port, as it was sent. */
  readonly host: string;
  /** Without the port, in small letters. */
  readonly name: string;
  /** In its only form: rules are about it, and pods are asked for it, so that none reads another one out of what was sent. */
  readonly path: string;
  /** With its question mark, as it was sent. */
  readonly query: string;
}

/** A client that takes this for its proxy names the whole URL, whose host counts (RFC 9112, 3.2.2). */
const absoluteForm = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)(.*)$/i;

/** RFC 3986, 3.2.2, without the comma, which would make a list of it. */
const validHost = /^(?:[\w.~!$&'()*+;=%-]*|\[[0-9a-f:.]+\])(?::\d*)?$/i;

/** Undefined where there is no telling: several hosts, or one that is none, or a path that is none (RFC 9112, 3.2). */
export function targetOf(request: Pick<IncomingMessage, "url" | "rawHeaders">): Target | undefined {
  const hosts = request.rawHeaders.filter((_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === "host");
  if (hosts.length > 1) return undefined;
  const [, authority, rest] = absoluteForm.exec(request.url ?? "") ?? [];
  const host = authority === undefined ? (hosts[0] ?? "") : authority.replace(/^.*@/, "");
  const origin = authority === undefined ? (request.url ?? "") : rest?.startsWith("/") ? rest : `/${rest}`;
  if (!validHost.test(host) || !origin.startsWith("/") || origin.includes("#")) return undefined;
  const mark = origin.indexOf("?");
  const path = onlyForm(mark < 0 ? origin : origin.slice(0, mark));
  if (path === undefined) return undefined;
  const name = host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
  return { host, name, path, query: mark < 0 ? "" : origin.slice(mark) };
}

const unreserved = /[\w.~-]/;

/**
 * A path of which there is no other way to say it (RFC 3986, 6.2.2): escapes only where they are needed, in capitals; no `.` and `..`, which end
 * at the root; one slash for several, as the real cluster's ingress has it. Undefined where an escape is none.
 */
function onlyForm(path: string): string | undefined {
  if (/^(?:\/[\w~-][\w.~-]*)+\/?$/.test(path)) return path;
  if (/%(?![0-9a-f]{2})/i.test(path)) return undefined;
  const escaped = path.replace(/%[0-9a-f]{2}|[^\w.~!$&'()*+,;=:@/-]/gi, (text) => {
    const code = text.startsWith("%") ? Number.parseInt(text.slice(1), 16) : text.charCodeAt(0);
    const letter = String.fromCharCode(code);
    return unreserved.test(letter) ? letter : `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  const kept: string[] = [];
  for (const segment of escaped.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const ends = /\/\.{0,2}$/.test(escaped) && kept.length > 0;
  return `/${kept.join("/")}${ends ? "/" : ""}`;
}
