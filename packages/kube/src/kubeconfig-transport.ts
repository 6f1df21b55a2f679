import { isDeepStrictEqual } from "node:util";
import type { Clock } from "@dhow/base";
import type { HttpRequest, HttpResponse, Transport } from "./http.ts";
import { type HttpTransport, httpTransport } from "./http-transport.ts";
import { loadKubeconfig } from "./kubeconfig.ts";

/** How old what was read may be (milliseconds): a minute, as client-go has it for `tokenFile` (client-go/transport/token_source.go). */
const freshFor = 60_000;

/** A kubeconfig's connection for a process that lasts: whoever renews the token, or the certificate, in its files is followed. */
export class KubeconfigTransport implements Transport {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #more: { readonly socketPath?: string };
  /** The last is what is used now; what the others have begun goes on, and their idle connections end by themselves. */
  readonly #transports: HttpTransport[] = [];
  #connection: unknown;
  #readAt = Number.NEGATIVE_INFINITY;

  /** @param more what stands in no kubeconfig. Throws as `loadKubeconfig` does. */
  constructor(path: string, clock: Clock, more: { readonly socketPath?: string } = {}) {
    this.#path = path;
    this.#clock = clock;
    this.#more = more;
    this.#read();
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    if (this.#clock.now() - this.#readAt >= freshFor) this.#readAgain();
    const answer = await (this.#transports.at(-1) as HttpTransport).request(request);
    // Others are not to be refused for a minute because the old proof has ended sooner than that.
    if (answer.status === 401) this.#readAt = Number.NEGATIVE_INFINITY;
    return answer;
  }

  close(): void {
    for (const transport of this.#transports) transport.close();
  }

  /** What is being replaced, or cannot be read just now, leaves what was read before. */
  #readAgain(): void {
    try {
      this.#read();
    } catch {
      this.#readAt = this.#clock.now();
    }
  }

  #read(): void {
    const connection = { ...loadKubeconfig(this.#path), ...this.#more };
    this.#readAt = this.#clock.now();
    if (isDeepStrictEqual(connection, this.#connection)) return;
    this.#connection = connection;
    this.#transports.push(httpTransport(connection));
  }
}
