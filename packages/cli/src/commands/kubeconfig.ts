import { type CommandDescription, systemArgument } from "../command.ts";
import { requireRunning } from "@dhow/development";

export const kubeconfig: CommandDescription = {
  name: "kubeconfig",
  summary: "print the path of an administrator's kubeconfig",
  description:
    "Prints the path of a kubeconfig with which kubectl, Helm and k9s reach the running cluster of a system.",
  arguments: [systemArgument],
  options: [],
  example: "export KUBECONFIG=$(npx dhow kubeconfig systems/bookmeup)",
  async run([path = "."]) {
    console.log(requireRunning(path).folder.kubeconfig);
    return 0;
  },
};
