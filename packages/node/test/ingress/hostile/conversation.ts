import { createServer, type IncomingMessage, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, type Server } from "node:net";
import { rule } from "../fixture.ts";

/** The Services behind the ingress, by name: their rules are below. */
export const services = ["public", "exact", "admin", "own"] as const;

export const spec = {
  rules: [
    rule(undefined, { "/public": "public", "/admin": "admin" }),
    rule(undefined, { "/exact": "exact" }, "Exact"),
    rule("own.test", { "/": "own", "/public": "own", "/admin": "own" }),
  ],
};

/** What became of one case: the statuses that the client saw, and the requests that pods saw. */
export interface Outcome {
  readonly statuses: readonly number[];
  readonly reached: readonly string[];
}

/** What a client says of itself in the cases, and what would be a request, or a line, of its own. */
const claimed = /6\.6\.6\.6|7\.7\.7\.7|evil\.test/;

/** A pod of a Service: notes what it is asked. */
export function recorder(name: string, note: (request: string) => void): HttpServer {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (part: string) => (body += part));
    const said = (end: string) =>
      note(
        [
          `${name} ${request.method} ${request.url}`,
          ...told(request),
          ...(body ? [`body ${JSON.stringify(short(body))}`] : []),
          ...(end ? [end] : []),
        ].join("; "),
      );
    request.on("end", () => {
      said("");
      response.end("ok\n");
    });
    request.on("error", () => said("broken off"));
  });
  return server;
}

function told({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.flatMap((name, at) => {
    const value = rawHeaders[at + 1] ?? "";
    if (at % 2 !== 0 || !(/^(?:host|x-smuggled)$/i.test(name) || claimed.test(value))) return [];
    return [`${name.toLowerCase()}: ${short(value)}`];
  });
}

const short = (text: string) => (text.length > 100 ? `${text.slice(0, 20)}… (${text.length})` : text);

/** How long nothing more must come before that is taken for all (milliseconds). */
const quiet = 150;

/**
 * Sends the bytes to an ingress; the statuses of what it answers, until it closes the connection, or has said what is `awaited` and is quiet, or
 * `patience` milliseconds have gone by without anything.
 */
export async function converse(
  place: { readonly host: string; readonly port: number },
  bytes: Uint8Array,
  { awaited, patience }: { readonly awaited: number; readonly patience: number },
): Promise<number[]> {
  const socket = connect({ ...place, allowHalfOpen: true });
  let text = "";
  const statuses = () => [...text.matchAll(/HTTP\/1\.\d (\d{3})/g)].map(([, code]) => Number(code));
  await new Promise<void>((resolve) => {
    const wait = () => setTimeout(resolve, statuses().length >= awaited ? quiet : patience);
    let timer = wait();
    const over = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.setEncoding("latin1").on("data", (piece: string) => {
      text += piece;
      clearTimeout(timer);
      timer = wait();
    });
    for (const event of ["end", "error", "close"] as const) socket.once(event, over);
    socket.write(bytes);
  });
  socket.destroy();
  return statuses();
}

export async function listening(server: Server, host = "127.0.0.1"): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}
