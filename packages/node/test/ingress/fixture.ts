import { createServer, type IncomingMessage, request as httpRequest, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { silent } from "@dhow/base";
import type { EndpointSlice, Ingress, IngressClass, IngressSpec, Secret, Service } from "@dhow/kube";
import { HeldCollection } from "@dhow/testkit";
import { type IngressController, type IngressOptions, startIngress } from "../../src/ingress/ingress.ts";

/** An ingress with listening doors and Services whose pods are servers of this process. */
export class IngressFixture implements AsyncDisposable {
  readonly objects = {
    services: new HeldCollection<Service>(),
    endpointSlices: new HeldCollection<EndpointSlice>(),
    ingresses: new HeldCollection<Ingress>(),
    ingressClasses: new HeldCollection<IngressClass>(),
    certificates: new HeldCollection<Secret>(),
  };
  readonly controller: IngressController;
  readonly #abort = new AbortController();
  readonly #servers: Server[] = [];

  constructor(options: Partial<IngressOptions> = {}) {
    this.controller = startIngress({ objects: this.objects, reporter: silent, signal: this.#abort.signal, ...options });
  }

  /** A listening socket; its port. */
  async door(attach: (server: Server) => void): Promise<number> {
    const server = createTcpServer();
    attach(server);
    return await this.#listen(server);
  }

  async httpDoor(): Promise<number> {
    return await this.door((server) => this.controller.attach(server, "http"));
  }

  /** A pod that answers; its port. */
  async pod(answer: RequestListener): Promise<number> {
    return await this.#listen(createServer(answer));
  }

  async tcpPod(accept: Parameters<typeof createTcpServer>[1] & {}): Promise<number> {
    return await this.#listen(createTcpServer({ allowHalfOpen: true }, accept));
  }

  /** A Service on port 80 with pods at these ports of the loopback. */
  service(name: string, ports: readonly number[], more: Partial<Service["spec"]> = {}): void {
    this.objects.services.put({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "shop" },
      spec: { ports: [{ name: "http", port: 80, nodePort: 30_080 }], ...more },
    });
    for (const slice of this.objects.endpointSlices.list()) {
      if (slice.metadata.labels?.["kubernetes.io/service-name"] === name) this.objects.endpointSlices.remove(slice);
    }
    for (const port of ports) this.objects.endpointSlices.put(slice(name, port));
  }

  ingress(name: string, spec: IngressSpec, annotations: Record<string, string> = {}): void {
    const named = Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]);
    const metadata = { name, namespace: "shop", annotations: Object.fromEntries(named) as Record<string, string> };
    this.objects.ingresses.put({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    for (const server of this.#servers) {
      server.close();
      if ("closeAllConnections" in server) (server as ReturnType<typeof createServer>).closeAllConnections();
    }
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }
}

function slice(service: string, port: number): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    addressType: "IPv4",
    metadata: { name: `${service}-${port}`, namespace: "shop", labels: { "kubernetes.io/service-name": service } },
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "http", port }],
  };
}

/** One rule for one host with `path: service` entries, Prefix unless said otherwise. */
export function rule(
  host: string | undefined,
  paths: Record<string, string>,
  pathType: "Prefix" | "Exact" | "ImplementationSpecific" = "Prefix",
) {
  const entries = Object.entries(paths).map(([path, name]) => ({
    path,
    pathType,
    backend: { service: { name, port: { number: 80 } } },
  }));
  return { ...(host === undefined ? {} : { host }), http: { paths: entries } };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Asked {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export function ask(port: number, path: string, asked: Asked = {}): Promise<Answer> {
  const { host = "127.0.0.1", method = "GET", headers = {}, body } = asked;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, path, method, headers: { host, ...headers }, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
