// The control plane's process: API server, controllers and scheduler, on the host's network. Started by host/host.ts.
import { goOnWithoutLog, messageOf } from "@dhow/base";
import { clusterFolder } from "../folder.ts";
import { leftByHost } from "../host/running.ts";
import { ControlPlane, type ControlPlaneConfig } from "./control-plane.ts";

goOnWithoutLog();
const config = JSON.parse(process.argv[2] ?? "{}") as ControlPlaneConfig;
const controlPlane = new ControlPlane(config);

async function stop(): Promise<void> {
  await controlPlane.stop();
  process.exit(0);
}

process.on("SIGTERM", () => void stop());
process.on("message", (message: { type: string }) => {
  if (message.type === "stop") void stop();
  if (message.type === "plain-pods") controlPlane.podsArePlain();
});
// The host is gone, however it ended: nothing is left behind. This process alone hears of it, as the kernel ends the agent's world at once.
process.on("disconnect", () => {
  const left = leftByHost(clusterFolder(config.folder));
  void controlPlane
    .stop()
    .then(() => left.remove())
    .finally(() => process.exit(0));
});

try {
  const { server } = await controlPlane.start();
  process.send?.({ type: "ready", server });
  await controlPlane.startControllers();
} catch (error) {
  process.send?.({ type: "failed", message: messageOf(error), fault: error });
  console.error(error);
  process.exit(1);
}
