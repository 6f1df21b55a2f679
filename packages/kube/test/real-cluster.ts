import { randomSuffix } from "@dhow/base";
import { httpTransport, KubeClient, loadKubeconfig } from "@dhow/kube";

const path = process.env["DHOW_TEST_KUBECONFIG"];

/** Why tests against a real API server are skipped, or false. KUBECONFIG itself is not read: it may be somebody's production. */
export const skip: string | false = path
  ? false
  : "no real API server: DHOW_TEST_KUBECONFIG names the kubeconfig of one that may be written to";

/** A client, and a namespace that is removed at the end of the block. */
export async function realNamespace(): Promise<AsyncDisposable & { client: KubeClient; namespace: string }> {
  const transport = httpTransport(loadKubeconfig(path));
  const client = new KubeClient(transport);
  const namespace = `kube-test-${randomSuffix(5)}`;
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  return {
    client,
    namespace,
    async [Symbol.asyncDispose]() {
      await client.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
      transport.close();
    },
  };
}
