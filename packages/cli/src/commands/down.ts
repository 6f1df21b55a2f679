import { DhowError } from "@dhow/base";
import { type CommandDescription, systemArgument } from "../command.ts";
import { requireRunning } from "@dhow/development";
import { isAlive } from "../terminal/process.ts";

/** How long the host may take to end its pods and its control plane (milliseconds). */
const patience = 30_000;

export const down: CommandDescription = {
  name: "down",
  summary: "stop the cluster of a system; data stays",
  description:
    "Stops everything that `dhow up` started for a system. What its databases stored stays for the next `up`; `dhow up --reset` forgets it.",
  arguments: [systemArgument],
  options: [],
  example: "dhow down systems/bookmeup",
  async run([path = "."]) {
    const { running } = requireRunning(path);
    process.kill(running.pid, "SIGTERM");
    const end = Date.now() + patience;
    while (isAlive(running.pid) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    if (isAlive(running.pid)) {
      throw new DhowError({
        code: "CLI_DID_NOT_STOP",
        message: `process ${running.pid} has not ended within 30 s`,
        instead: `kill -9 ${running.pid}`,
      });
    }
    console.log(`${running.system} is stopped; its data stays.`);
    return 0;
  },
};
