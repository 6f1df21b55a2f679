import type { Ingress as IngressObject } from "@dhow/kube";
import type { Ingress } from "@dhow/model";
import type { Context } from "./context.ts";
import { metadata } from "./metadata.ts";

export function compileIngress(ingress: Ingress, context: Context): IngressObject[] {
  const { host, routes, tls } = ingress.options;
  const meta = metadata(context, ingress.name);
  const paths = Object.entries(routes).map(([path, service]) => ({
    path,
    pathType: "Prefix" as const,
    backend: { service: { name: service.name, port: { name: "main" } } },
  }));
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata:
        tls?.issuer === undefined ? meta : { ...meta, annotations: { "cert-manager.io/cluster-issuer": tls.issuer } },
      spec: {
        ingressClassName: "nginx",
        ...(tls && { tls: [{ secretName: tls.secret, ...(host !== undefined && { hosts: [host] }) }] }),
        rules: [{ ...(host !== undefined && { host }), http: { paths } }],
      },
    },
  ];
}
