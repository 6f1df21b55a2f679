// The agent's process: kubelets, service rules, DNS and ingress, in a world of its own. Started by host/host.ts.
import type { Server, Socket } from "node:net";
import { goOnWithoutLog, messageOf } from "@dhow/base";
import { ClusterAgent } from "./agent.ts";
import type { AgentConfig } from "./config.ts";
import type { Entrance } from "./entrances.ts";

goOnWithoutLog();
const agent = new ClusterAgent(JSON.parse(process.argv[2] ?? "{}") as AgentConfig, (message) =>
  process.send?.(message),
);

async function stop(): Promise<void> {
  await agent.stop();
  process.exit(0);
}

process.on("message", (message: { type: string; entrance?: Entrance }, handle?: unknown) => {
  if (message.type === "stop") void stop();
  if (message.entrance === undefined) return;
  if (message.type === "listener") agent.listen(message.entrance, handle as Server);
  if (message.type === "connection") agent.accept(message.entrance, handle as Socket);
});
process.on("SIGTERM", () => void stop());
// The host is gone, however it ended: nothing is left behind.
process.on("disconnect", () => void stop());

try {
  await agent.start();
  process.send?.({ type: "ready" });
} catch (error) {
  process.send?.({ type: "failed", message: messageOf(error), fault: error });
  console.error(error);
  process.exit(1);
}
