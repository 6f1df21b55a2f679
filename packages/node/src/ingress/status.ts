import { messageOf, type Reporter } from "@dhow/base";
import { deepEqual, type Ingress, isStatusError, type KubeClient } from "@dhow/kube";

/** Where the ingress is reached from outside. */
export interface PublishedAddress {
  readonly ip?: string;
  readonly hostname?: string;
}

/** Says in the status of an Ingress where it is served, once it is. */
export async function publishAddress(
  client: KubeClient,
  ingress: Ingress,
  address: PublishedAddress,
  reporter: Reporter,
): Promise<void> {
  const wanted = [{ ...address }];
  if (deepEqual(ingress.status?.loadBalancer?.ingress, wanted)) return;
  const { namespace, name } = ingress.metadata;
  const ref = { apiVersion: ingress.apiVersion, kind: ingress.kind, namespace: namespace ?? "", name: name ?? "" };
  try {
    await client.patch(ref, "merge", { status: { loadBalancer: { ingress: wanted } } }, { subresource: "status" });
  } catch (error) {
    if (isStatusError(error, "NotFound")) return;
    reporter.report({
      kind: "ingress.status",
      level: "warn",
      subject: `${namespace}/${name}`,
      message: messageOf(error),
    });
  }
}
