// The program that loopback.ts runs in a pod's network: connects, and hands the connection to the agent.
import { Socket } from "node:net";

const idleMilliseconds = 15_000;
const idle = setTimeout(() => process.exit(0), idleMilliseconds);

process.on("message", ({ id, port }: { id: number; port: number }) => {
  idle.refresh();
  connect(id, port, ["127.0.0.1", "::1"]);
});
process.on("disconnect", () => process.exit(0));

function connect(id: number, port: number, [host, ...others]: readonly string[]): void {
  const socket = new Socket({ allowHalfOpen: true });
  // What the server says first is the agent's to read.
  socket.pause();
  socket.once("error", (error) => {
    if (others.length > 0) connect(id, port, others);
    else process.send?.({ id, error: error.message });
  });
  socket.connect({ port, host: host ?? "" }, () => {
    process.send?.({ id }, socket, {}, () => undefined);
  });
}
