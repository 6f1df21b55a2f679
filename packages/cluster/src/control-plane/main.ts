// The control plane's process: API server, controllers and scheduler, on the host's network. Started by host/host.ts.
import { messageOf } from "@dhow/base";
import { ControlPlane, type ControlPlaneConfig } from "./control-plane.ts";

const controlPlane = new ControlPlane(JSON.parse(process.argv[2] ?? "{}") as ControlPlaneConfig);

async function stop(): Promise<void> {
  await controlPlane.stop();
  process.exit(0);
}

process.on("SIGTERM", () => void stop());
process.on("message", (message: { type: string }) => {
  if (message.type === "stop") void stop();
});
// The host is gone, however it ended: nothing is left behind.
process.on("disconnect", () => void stop());

try {
  process.send?.({ type: "ready", ...(await controlPlane.start()) });
} catch (error) {
  process.send?.({ type: "failed", message: messageOf(error), fault: error });
  console.error(error);
  process.exit(1);
}
