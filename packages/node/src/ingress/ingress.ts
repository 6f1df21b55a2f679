import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Reporter } from "@dhow/base";
import { http } from "@dhow/base/http";
import type { KubeClient } from "@dhow/kube";
import type { NetworkObjects } from "../network/objects.ts";
import { Backends, type Place } from "./backends.ts";
import { chooseBackend } from "./canary.ts";
import { type CertificatePair, Certificates } from "./certificates.ts";
import { forward, isRepeatable } from "./forward.ts";
import { framingProblem } from "./framing.ts";
import { requestHeaders } from "./headers.ts";
import { attachNodePort } from "./node-ports.ts";
import { answerPlainly, refuse } from "./plain-answer.ts";
import {
  type ClassOptions,
  compileRoutes,
  findHost,
  findRoute,
  type HostRoutes,
  type Match,
  ownIngresses,
  rewrite,
  type RouteTable,
} from "./routes.ts";
import { publishAddress, type PublishedAddress } from "./status.ts";
import { type Target, targetOf } from "./target.ts";
import { mayUpgrade, passUpgrade } from "./upgrade.ts";

export interface IngressOptions extends Partial<ClassOptions> {
  readonly objects: Pick<
    NetworkObjects,
    "services" | "endpointSlices" | "ingresses" | "ingressClasses" | "certificates"
  >;
  /** Writes status.loadBalancer; without it nothing is written. */
  readonly client?: KubeClient;
  readonly publish?: PublishedAddress;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Served where a host has no certificate of its own. Without it such a host has no TLS. */
  readonly defaultCertificate?: CertificatePair;
  /** The ports at which the outside reaches the two doors, for redirects and headers. */
  readonly ports?: { readonly http: number; readonly https: number };
  readonly random?: () => number;
}

type Scheme = "http" | "https";

/** How long a connection to a pod may idle: below the 5 seconds after which Node's own server closes it. */
const idleMilliseconds = 4000;

/** nginx' keepalive_timeout. */
const clientIdleMilliseconds = 75_000;

/** The HTTP way in: an ingress controller in the agent. */
export function startIngress(options: IngressOptions): IngressController {
  return new IngressController(options);
}

export class IngressController {
  readonly #options: IngressOptions;
  readonly #backends: Backends;
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: 32, timeout: idleMilliseconds });
  /** Each request on a connection of its own: a pod may close an idle one in the moment in which a request that cannot be repeated takes it. */
  readonly #freshAgent = new http.Agent({ keepAlive: false });
  readonly #certificates: Certificates;
  readonly #doors: Readonly<Record<Scheme, Server>>;
  readonly #attached = new Set<Scheme>();
  #table: RouteTable | undefined;

  constructor(options: IngressOptions) {
    this.#options = options;
    const { objects, signal } = options;
    this.#backends = new Backends(objects, (place) => this.#dropIdle(place));
    this.#certificates = new Certificates(objects.certificates);
    this.#doors = { http: this.#makeDoor("http"), https: this.#makeDoor("https") };
    const changed = () => {
      this.#table = undefined;
      void this.#publish();
    };
    const stops = [objects.ingresses.onChange(changed), objects.ingressClasses.onChange(changed)];
    const close = () => {
      for (const stop of stops) stop();
      this.#backends.close();
      this.#agent.destroy();
    };
    signal.addEventListener("abort", close, { once: true });
  }

  /** Takes the connections of a listening socket that the host process has handed over. Returns how to stop. */
  attach(server: Server, scheme: Scheme): () => void {
    this.#attached.add(scheme);
    const accept = (socket: Socket) => {
      socket.setNoDelay(true);
      this.#doors[scheme].emit("connection", socket);
    };
    server.on("connection", accept);
    return () => {
      this.#attached.delete(scheme);
      server.off("connection", accept);
    };
  }

  /** The same for the port of a Service of type NodePort or LoadBalancer: bytes, whatever they mean. */
  attachNodePort(port: number, server: Server): () => void {
    return attachNodePort(port, server, this.#options.objects, this.#backends);
  }

  #makeDoor(scheme: Scheme): HttpServer {
    const onRequest = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(request, response, scheme).catch(() => response.destroy());
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      void this.#upgrade(request, socket, head, scheme).catch(() => socket.destroy());
    const { defaultCertificate } = this.#options;
    // Before Node 24.9 there is no such choice: what must not become a tunnel is refused then.
    const options = { shouldUpgradeCallback: mayUpgrade };
    const door =
      scheme === "http"
        ? http.createServer(options, onRequest)
        : createTlsServer(
            {
              ...options,
              ...(defaultCertificate ? { cert: defaultCertificate.certificate, key: defaultCertificate.key } : {}),
              ALPNProtocols: ["http/1.1"],
              SNICallback: (name, callback) => callback(null, this.#contextFor(name)),
            },
            onRequest,
          );
    door.on("upgrade", onUpgrade);
    // A tunnel to wherever a client wants one.
    door.on("connect", (_, socket: Duplex) => refuse(socket, 405));
    door.keepAliveTimeout = clientIdleMilliseconds;
    return door;
  }

  #contextFor(name: string) {
    const certificate = findHost(this.#routes(), name)?.certificate;
    return certificate === undefined ? undefined : this.#certificates.context(certificate);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, scheme: Scheme): Promise<void> {
    const target = targetOf(request);
    const problem = target === undefined ? 400 : framingProblem(request);
    if (target === undefined || problem !== undefined) {
      answerPlainly(response, problem ?? 400, { connection: "close" });
      return;
    }
    const { path, query } = target;
    const host = findHost(this.#routes(), target.name);
    const match = host && findRoute(host, path);
    const redirect = host && this.#redirect(target, scheme, host, match);
    if (redirect) {
      answerPlainly(response, redirect.status, { location: redirect.location });
      return;
    }
    const backend = match && chooseBackend(match.route, request.headers, this.#random);
    if (match === undefined || backend === undefined) {
      answerPlainly(response, match === undefined ? 404 : 503);
      return;
    }
    await forward(request, response, {
      agent: isRepeatable(request) ? this.#agent : this.#freshAgent,
      path: rewrite(match, path) + query,
      headers: requestHeaders(request, this.#forwardedAs(scheme, match, target)),
      bodyLimit: match.route.settings.bodyLimit,
      readTimeout: match.route.settings.readTimeout,
      next: (tried) => this.#backends.next(backend, tried),
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, scheme: Scheme): Promise<void> {
    const target = mayUpgrade(request) ? targetOf(request) : undefined;
    if (target === undefined) return refuse(socket, 400);
    const host = findHost(this.#routes(), target.name);
    const match = host && findRoute(host, target.path);
    const backend = match && chooseBackend(match.route, request.headers, this.#random);
    if (match === undefined || backend === undefined) return refuse(socket, 404);
    await passUpgrade(request, socket, head, {
      path: rewrite(match, target.path) + target.query,
      headers: requestHeaders(request, this.#forwardedAs(scheme, match, target)),
      next: (tried) => this.#backends.next(backend, tried),
    });
  }

  #redirect(target: Target, scheme: Scheme, host: HostRoutes, match: Match | undefined) {
    const settings = match?.route.settings;
    if (settings === undefined) return undefined;
    const secure = settings.forceSslRedirect || (settings.sslRedirect && host.certificate !== undefined);
    if (scheme === "http" && secure && this.#attached.has("https")) {
      const port = this.#options.ports?.https ?? 443;
      const authority = port === 443 ? target.name : `${target.name}:${port}`;
      return { status: 308, location: `https://${authority}${target.path}${target.query}` };
    }
    if (settings.permanentRedirect) return { status: 301, location: settings.permanentRedirect };
    if (settings.appRoot && target.path === "/") return { status: 302, location: settings.appRoot };
    return undefined;
  }

  #forwardedAs(scheme: Scheme, { route }: Match, { host }: Target) {
    const port = this.#options.ports?.[scheme] ?? (scheme === "http" ? 80 : 443);
    return { scheme, port, host, upstreamHost: route.settings.upstreamHost };
  }

  get #random(): () => number {
    return this.#options.random ?? Math.random;
  }

  #routes(): RouteTable {
    return (this.#table ??= compileRoutes(this.#own()));
  }

  #own() {
    const { objects, controller = "k8s.io/ingress-nginx", className = "nginx" } = this.#options;
    return ownIngresses(objects.ingresses.list(), objects.ingressClasses.list(), { controller, className });
  }

  async #publish(): Promise<void> {
    const { client, publish, reporter } = this.#options;
    if (!client || !publish) return;
    await Promise.all(this.#own().map((ingress) => publishAddress(client, ingress, publish, reporter)));
  }

  /** A pod that is on its way out closes its connections: none of them is to be taken for a new request in that moment. */
  #dropIdle({ address, port }: Place): void {
    const sockets = this.#agent.freeSockets[`${address}:${port}:`] ?? [];
    for (const socket of sockets.slice()) socket.destroy();
  }
}
