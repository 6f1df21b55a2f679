import { randomSuffix } from "@dhow/base";
import { httpTransport, KubeClient, type KubeObject, loadKubeconfig, readJson, resourceByKind } from "@dhow/kube";
import { clusterSamples, namespacedSamples, type Sample } from "./samples.ts";

/** Why tests against a real API server are skipped, or false. */
export const skip: string | false = process.env["DHOW_TEST_KUBECONFIG"]
  ? false
  : "no real API server: DHOW_TEST_KUBECONFIG names the kubeconfig of one that may be written to";

/** A row that a real server printed at `now`, and its object. */
export interface Recorded {
  readonly now: number;
  readonly object: KubeObject;
  readonly cells: readonly unknown[];
  readonly conditions?: readonly unknown[];
}

const transport = () => httpTransport(loadKubeconfig(process.env["DHOW_TEST_KUBECONFIG"]));

const tableType = "application/json;as=Table;v=v1;g=meta.k8s.io";

/** One line a resource: its columns as `name|type|format|priority`. */
export async function recordColumns(
  paths: readonly { readonly label: string; readonly path: string }[],
): Promise<string> {
  const connection = transport();
  const lines: string[] = [];
  for (const { label, path } of paths) {
    const response = await connection.request({
      method: "GET",
      path: `${path}?limit=1`,
      headers: { accept: tableType },
    });
    const { columnDefinitions } = (await readJson(response)) as { columnDefinitions: Record<string, unknown>[] };
    const columns = columnDefinitions.map(({ name, type, format, priority }) =>
      [name, type, format, priority].join("|"),
    );
    lines.push(`${label}: ${columns.join("; ")}`);
  }
  connection.close();
  return `${lines.sort((a, b) => (a < b ? -1 : 1)).join("\n")}\n`;
}

/** Creates all samples, looks at them, and removes them. */
export async function recordRows(): Promise<Recorded[]> {
  const connection = transport();
  const client = new KubeClient(connection);
  const namespace = `tables-test-${randomSuffix(5)}`;
  await client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await client
    .create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } })
    .catch(() => undefined);
  const recorded: Recorded[] = [];
  for (const sample of namespacedSamples) recorded.push(await recordOne(client, sample, { namespace }));
  const suffix = randomSuffix(5);
  for (const sample of clusterSamples) {
    const name = `${sample.object.metadata.name}-${suffix}`;
    recorded.push(await recordOne(client, sample, { name }));
    await client.delete({ apiVersion: sample.object.apiVersion, kind: sample.object.kind, name });
  }
  await client.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
  connection.close();
  return recorded;
}

async function recordOne(client: KubeClient, sample: Sample, metadata: object): Promise<Recorded> {
  const { apiVersion, kind } = sample.object;
  const whole = { ...sample.object, metadata: { ...sample.object.metadata, ...metadata } };
  const created = await client.create(withNamespaceOfEvent(whole));
  const { namespace, name = "" } = created.metadata;
  const ref = { apiVersion, kind, name, ...(namespace ? { namespace } : {}) };
  if (sample.status) await client.patch(ref, "merge", { status: sample.status }, { subresource: "status" });
  const info = resourceByKind(apiVersion, kind);
  const prefix = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = info?.namespaced ? `${prefix}/namespaces/${namespace}` : prefix;
  const path = `${place}/${info?.resource}/${name}?includeObject=Object`;
  const response = await client.raw({ method: "GET", path, headers: { accept: tableType } });
  const now = Date.now();
  const { rows } = (await readJson(response)) as { rows: Omit<Recorded, "now">[] };
  const { object, cells, conditions } = rows[0] as Omit<Recorded, "now">;
  const { managedFields: _, ...plain } = object.metadata;
  return { now, object: { ...object, metadata: plain }, cells, ...(conditions ? { conditions } : {}) };
}

/** An event lives in the namespace of what it is about. */
function withNamespaceOfEvent(object: KubeObject): KubeObject {
  const { namespace } = object.metadata;
  const about = (field: string) => (object[field] ? { [field]: { ...object[field], namespace } } : {});
  return object.kind === "Event" ? { ...object, ...about("involvedObject"), ...about("regarding") } : object;
}
