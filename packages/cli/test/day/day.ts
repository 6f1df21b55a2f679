import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stateFolder } from "@dhow/development";
import { runningCluster } from "@dhow/cluster";
import type { Event, KubeClient, KubeObject, Pod } from "@dhow/kube";
import { eventually, temporaryFolder } from "@dhow/testkit";
import { clusterFolder, connect, freePort, greeter } from "../fixture.ts";
import { description, objects, round, settled, type Used } from "./changes.ts";
import { type Figures, figures } from "./figures.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export interface Day {
  /** After how many rounds the cluster is looked at, in order. */
  readonly looks: readonly number[];
  /** Counts the objects of each class, too. What it takes to do so stays with the processes, so that their memory says nothing afterwards. */
  readonly classes?: boolean;
  readonly tell?: (what: string) => void;
}

/** Uses a cluster as a person does in a day, and looks at what it holds in between: one entry a look. */
export async function useForADay({ looks, classes = false, tell = () => undefined }: Day): Promise<Figures[]> {
  using folder = clusterFolder({
    "system.ts": description,
    "api/src/main.ts": greeter("round-0"),
    "web/src/main.ts": greeter("web"),
  });
  using probes = temporaryFolder();
  const port = await freePort();
  await using host = startHost(folder.path, probes.path, port, classes);
  await host.said(/"up\.ready"/);
  using cluster = connect(folder.path);
  const { client } = cluster;
  for (const object of objects as KubeObject[]) await client.create(object);
  const restarted = (service: string) =>
    host.output().match(new RegExp(`"source.restarted","subject":"${service}"`, "g"))?.length ?? 0;
  const used: Used = { client, folder: folder.path, port, restarted };
  const hostPid = runningCluster(stateFolder(folder.path))?.pid ?? 0;
  const found: Figures[] = [];
  for (let number = 1; number <= Math.max(...looks); number++) {
    await round(used, number).catch(async (error: unknown) => {
      throw new Error(`round ${number}:\n${await stateOf(client)}`, { cause: error });
    });
    if (number % 10 === 0) tell(`round ${number}`);
    if (!looks.includes(number)) continue;
    await settled(client);
    found.push(await figures({ folder: folder.path, probes: probes.path, client, hostPid }));
  }
  return found;
}

function startHost(folder: string, probes: string, port: number, classes: boolean) {
  const options = [`--import=${file("probe.ts")}`, "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...options, file("host.ts"), folder, String(port)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      DHOW_PROBE_FOLDER: probes,
      ...(classes && { DHOW_PROBE_CLASSES: "1" }),
      NODE_OPTIONS: options.join(" "),
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  return {
    output: () => output,
    async said(pattern: RegExp): Promise<void> {
      await eventually(() => {
        if (child.exitCode !== null) throw new Error(`the host ended:\n${output}`);
        return pattern.test(output);
      }, 120_000);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** What does not go as it should, for whoever reads why a round did not come to its end. */
async function stateOf(client: KubeClient): Promise<string> {
  const { items: pods } = await client.list<Pod>({ apiVersion: "v1", kind: "Pod" });
  const { items: events } = await client.list<Event>({ apiVersion: "v1", kind: "Event" });
  return [
    ...pods.map(
      ({ metadata, status }) =>
        `${metadata.name} ${metadata.deletionTimestamp ?? ""} ${JSON.stringify(status?.containerStatuses?.[0]?.state)}`,
    ),
    ...events.map(({ involvedObject, reason, message }) => `${involvedObject.name} ${reason}: ${message}`),
  ].join("\n");
}
