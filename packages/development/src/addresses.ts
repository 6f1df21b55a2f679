import type { RefusedPort } from "@dhow/cluster";
import type { Ingress, KubeClient, Service } from "@dhow/kube";

/** Something that a person can open. */
export interface Address {
  readonly name: string;
  readonly url: string;
  /** Why it leads somewhere else at this moment: another program has its port. */
  readonly problem?: string;
  /** How a person signs in there, where the description knows. */
  readonly signIn?: string;
}

/** Every way into a system: its ingresses and node ports, as this machine reaches them. */
export async function addressesOf(
  client: KubeClient,
  namespace: string,
  { ingressPort, refusedPorts }: { readonly ingressPort: number; readonly refusedPorts: readonly RefusedPort[] },
): Promise<Address[]> {
  const ingresses = await client.list<Ingress>({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", namespace });
  const services = await client.list<Service>({ apiVersion: "v1", kind: "Service", namespace });
  const port = ingressPort === 80 ? "" : `:${ingressPort}`;
  return [
    ...ingresses.items.flatMap((ingress) =>
      (ingress.spec?.rules ?? [{}]).map((rule) => ({
        name: ingress.metadata.name ?? "",
        url: `http://${rule.host ?? "127.0.0.1"}${port}/`,
      })),
    ),
    ...services.items.flatMap((service) =>
      (service.spec?.ports ?? [])
        .filter((each) => each.nodePort !== undefined)
        .map((each) => {
          const port = service.spec?.type === "LoadBalancer" ? each.port : each.nodePort;
          const signIn = service.metadata.annotations?.["dhow.dev/sign-in"];
          const problem = refusedPorts.find((refused) => refused.port === port)?.reason;
          return {
            name: service.metadata.name ?? "",
            url: `http://127.0.0.1:${port}/`,
            ...(problem !== undefined && { problem }),
            ...(signIn !== undefined && { signIn }),
          };
        }),
    ),
  ];
}
