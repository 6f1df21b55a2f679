import { connect, developmentError, requireRunning } from "@dhow/development";
import { type KubeClient, type Secret } from "@dhow/kube";
import type { CommandDescription } from "../command.ts";
import { splitSystem } from "../words.ts";

export const secret: CommandDescription = {
  name: "secret",
  summary: "print the entries of a Secret of a running system",
  description: "Prints the entries of a Secret as they are, a line each; with a key, that entry alone.",
  arguments: [
    { name: "[system]", description: "the folder of system.ts; the current one unless said" },
    { name: "[name]", description: "the Secret" },
    { name: "[key]", description: "one of its entries" },
  ],
  options: [],
  example: "dhow secret systems/bookmeup adminer ADMINER_PASSWORD",
  async run(words) {
    const { path, rest } = splitSystem(words);
    const [name, key] = rest;
    const { folder, running } = requireRunning(path);
    const { client, transport } = connect(folder);
    try {
      const entries = await entriesOf(client, running.namespace, name);
      if (key === undefined) for (const [entry, value] of entries) console.log(`${entry}=${value}`);
      else console.log(oneEntry(name ?? "", key, entries));
      return 0;
    } finally {
      transport.close();
    }
  },
};

async function entriesOf(
  client: KubeClient,
  namespace: string,
  name: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const ref = { apiVersion: "v1", kind: "Secret", namespace };
  const found = name === undefined ? undefined : await client.find<Secret>({ ...ref, name });
  if (found)
    return new Map(
      Object.entries(found.data ?? {}).map(([entry, value]) => [entry, Buffer.from(value, "base64").toString()]),
    );
  const names = (await client.list(ref)).items.map((item) => item.metadata.name);
  const message = name === undefined ? "which Secret?" : `there is no Secret ${name} in ${namespace}`;
  throw developmentError("SYSTEM_NO_SUCH_NAME", { message, instead: `one of ${names.join(", ")}` });
}

function oneEntry(name: string, key: string, entries: ReadonlyMap<string, string>): string {
  const value = entries.get(key);
  if (value !== undefined) return value;
  throw developmentError("SYSTEM_NO_SUCH_NAME", {
    message: `the Secret ${name} has no entry ${key}`,
    instead: `one of ${[...entries.keys()].join(", ")}`,
  });
}
