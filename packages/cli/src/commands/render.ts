import { compile } from "@dhow/manifests";
import { dump } from "js-yaml";
import { type CommandDescription, environmentOption, systemArgument } from "../command.ts";
import { loadSystem } from "@dhow/development";

export const render: CommandDescription = {
  name: "render",
  summary: "print the Kubernetes objects of a system as YAML",
  description:
    "Prints the Kubernetes objects that a system becomes, as YAML: the same that `dhow up` applies. Generated secrets are not among them.",
  arguments: [systemArgument],
  options: [environmentOption],
  example: "dhow render systems/bookmeup --environment production | kubectl apply --dry-run=server -f -",
  async run([path = "."], options) {
    const { system } = await loadSystem(path, (options["environment"] as string | undefined) ?? "development");
    const documents = compile(system).map((object) => dump(object, { lineWidth: -1, noRefs: true }));
    process.stdout.write(documents.map((document) => `---\n${document}`).join(""));
    return 0;
  },
};
