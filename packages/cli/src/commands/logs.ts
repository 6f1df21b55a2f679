import { connect, developmentError, requireRunning } from "@dhow/development";
import { type KubeClient, type Pod, readText } from "@dhow/kube";
import { type CommandDescription, parseLines } from "../command.ts";
import { splitSystem } from "../words.ts";

export const logs: CommandDescription = {
  name: "logs",
  summary: "print what the pods of a system say",
  description: "Prints the logs of one workload or pod, or of all of them, each line with the pod that said it.",
  arguments: [
    { name: "[system]", description: "the folder of system.ts; the current one unless said" },
    { name: "[name]", description: "a workload or a pod; all of them unless said" },
  ],
  options: [
    { flags: "-f, --follow", description: "go on with what comes" },
    { flags: "-n, --tail <lines>", description: "only so many lines of each pod", parse: parseLines },
  ],
  example: "dhow logs systems/bookmeup auth-service -f",
  async run(words, options) {
    const { path, rest } = splitSystem(words);
    const { folder, running } = requireRunning(path);
    const { client, transport } = connect(folder);
    try {
      const pods = await choosePods(client, running.namespace, rest[0]);
      const tail = options["tail"] === undefined ? "" : `&tailLines=${options["tail"] as number}`;
      const query = `follow=${options["follow"] === true}${tail}`;
      await Promise.all(pods.map((pod) => printLog(client, pod, query, pods.length > 1)));
      return 0;
    } finally {
      transport.close();
    }
  },
};

async function choosePods(client: KubeClient, namespace: string, name: string | undefined): Promise<readonly Pod[]> {
  const { items } = await client.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace });
  const chosen =
    name === undefined
      ? items
      : items.filter((pod) => pod.metadata.name === name || pod.metadata.labels?.["app"] === name);
  if (chosen.length > 0) return chosen;
  const names = new Set(items.map((pod) => pod.metadata.labels?.["app"]).filter((each) => each !== undefined));
  throw developmentError("SYSTEM_NO_SUCH_NAME", {
    message: name === undefined ? "there are no pods yet" : `no workload or pod is called ${name}`,
    instead: `one of ${[...names].join(", ")}`,
  });
}

async function printLog(client: KubeClient, pod: Pod, query: string, prefixed: boolean): Promise<void> {
  const { namespace, name } = pod.metadata;
  const answer = await client.raw({
    method: "GET",
    path: `/api/v1/namespaces/${namespace}/pods/${name}/log?${query}`,
    headers: {},
  });
  const prefix = prefixed ? `${name} ` : "";
  if (answer.status !== 200) {
    console.error(
      `${prefix}${(JSON.parse(await readText(answer.body)) as { message?: string }).message ?? answer.status}`,
    );
    return;
  }
  if (typeof answer.body === "string" || answer.body instanceof Uint8Array) process.stdout.write(answer.body);
  else await printPieces(answer.body, prefix);
}

async function printPieces(body: AsyncIterable<string | Uint8Array>, prefix: string): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of body) {
    const lines = (rest + (typeof piece === "string" ? piece : decoder.decode(piece, { stream: true }))).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) console.log(prefix + line);
  }
  if (rest !== "") console.log(prefix + rest);
}
