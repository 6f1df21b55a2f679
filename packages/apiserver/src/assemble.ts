import { type Clock, silent } from "@dhow/base";
import { builtInResources } from "@dhow/kube";
import { dump } from "js-yaml";
import { admissionPlugins } from "./admission/index.ts";
import { configureAllocators } from "./allocators/allocators.ts";
import { Authenticator } from "./authentication/authenticator.ts";
import { ServiceAccountTokens } from "./authentication/service-account-tokens.ts";
import { issuerPages } from "./authentication/issuer-pages.ts";
import { authorizerOf } from "./authorization/authorizer.ts";
import { CustomResources } from "./custom/custom-resources.ts";
import { discoveryPage } from "./discovery/page.ts";
import type { HandlerParts } from "./http/handler.ts";
import { Metrics } from "./http/metrics.ts";
import { healthPage, type Page, rootPage, versionPage } from "./http/pages.ts";
import { allowLoopback, endpoints, endpointSlices } from "./kinds/endpoints.ts";
import { strategies } from "./kinds/index.ts";
import { openapiPage } from "./openapi/page.ts";
import { Catalog } from "./registry/catalog.ts";
import type { Registry } from "./registry/registry.ts";
import { createStore } from "./registry/store.ts";
import type { ApiServerOptions } from "./server.ts";
import { subresourceHandlers } from "./subresources/handlers.ts";
import { kubeletHandlers } from "./subresources/proxy/handlers.ts";
import type { Storage } from "./storage/storage.ts";
import { tableMaker } from "./tables/tables.ts";

export const defaultServiceCidr = "10.96.0.0/16";
const defaultAdvertise = { address: "127.0.0.1", port: 6443 };

function strategiesFor({ loopbackEndpoints }: ApiServerOptions): typeof strategies {
  if (!loopbackEndpoints) return strategies;
  return {
    ...strategies,
    endpoints: allowLoopback(endpoints, loopbackEndpoints),
    "endpointslices.discovery.k8s.io": allowLoopback(endpointSlices, loopbackEndpoints),
  };
}

/** Puts the parts of the server together; no part knows of another one but through what it is given here. */
export function assemble(storage: Storage, clock: Clock, options: ApiServerOptions): HandlerParts {
  const catalog = new Catalog(builtInResources, strategiesFor(options));
  const store = createStore(storage, catalog, clock);
  configureAllocators(store, {
    serviceCidr: options.serviceCidr ?? defaultServiceCidr,
    nodePortRange: options.nodePortRange ?? [30_000, 32_767],
  });
  const registry: Registry = { storage, store, clock, admission: admissionPlugins };
  const reporter = options.reporter ?? silent;
  new CustomResources(registry, catalog, reporter).start();
  const metrics = new Metrics();
  const serviceAccounts = options.serviceAccountKey
    ? new ServiceAccountTokens({ key: options.serviceAccountKey, clock, store })
    : undefined;
  const authenticator = new Authenticator({ tokens: options.tokens ?? [], serviceAccounts });
  const authorizer = authorizerOf(store);
  const kubelets = kubeletHandlers(store, clock, options.dialKubelet ?? noKubelet);
  return {
    registry,
    catalog,
    metrics,
    renderer: {
      tables: tableMaker(clock),
      yaml: (value) =>
        dump(value, { noRefs: true, sortKeys: true, quoteStyle: "double", seqNoIndent: true, lineWidth: -1 }),
    },
    reporter,
    authenticator,
    authorizer,
    pages: [
      ...pages(storage, catalog, metrics, options),
      ...issuerPages(serviceAccounts, options.advertise ?? defaultAdvertise),
    ],
    ...kubelets,
    special: {
      ...kubelets.special,
      ...subresourceHandlers({ clock, authenticator, authorizer, tokens: serviceAccounts }),
    },
  };
}

function noKubelet(nodeName: string): Promise<never> {
  return Promise.reject(new Error(`no way to the kubelet of node ${nodeName}`));
}

function pages(storage: Storage, catalog: Catalog, metrics: Metrics, options: ApiServerOptions): Page[] {
  const { address, port } = options.advertise ?? defaultAdvertise;
  const served = () => [...catalog.all()].map(({ info }) => info);
  const checks = { ping: () => undefined, log: () => undefined, etcd: () => undefined };
  const paths = () => [
    "/api",
    "/api/v1",
    "/apis",
    ...new Set([...catalog.all()].filter(({ info }) => info.group !== "").map(({ info }) => `/apis/${info.group}`)),
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/version",
  ];
  const apis = [discoveryPage(served, `${address}:${port}`), openapiPage(served)];
  return [...apis, versionPage, healthPage(checks), metrics.page(storage), rootPage(paths)];
}
