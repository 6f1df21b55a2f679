// The command `dhow`: arguments → one call. Commands are plain objects in commands/, one a file.
import { Command } from "commander";
import type { CommandDescription } from "./command.ts";
import { apply } from "./commands/apply.ts";
import { down } from "./commands/down.ts";
import { kubeconfig } from "./commands/kubeconfig.ts";
import { logs } from "./commands/logs.ts";
import { render } from "./commands/render.ts";
import { secret } from "./commands/secret.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { printError } from "./terminal/errors.ts";

const commands: readonly CommandDescription[] = [up, apply, down, status, logs, kubeconfig, render, secret];

const program = new Command("dhow")
  .description("From one TypeScript file to a laptop, AKS, EKS or any Kubernetes cluster.")
  .version("0.1.0")
  .showHelpAfterError("(dhow --help says what there is)")
  .configureHelp({ showGlobalOptions: false });

for (const description of commands) {
  const command = program.command(description.name).summary(description.summary).description(description.description);
  for (const argument of description.arguments) command.argument(argument.name, argument.description, argument.default);
  for (const option of description.options) command.option(option.flags, option.description, option.parse ?? identity);
  command.addHelpText("after", `\nExample:\n  ${description.example}`);
  command.action(async (...words: unknown[]) => {
    const options = words.at(-2) as Record<string, unknown>;
    process.exitCode = await description.run(words.slice(0, -2) as string[], options);
  });
}

function identity(word: string): string {
  return word;
}

// The launcher of an older Node (bin/run.js) is gone: nobody is there any more who could end this. What was left running on purpose is another process.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();

try {
  await program.parseAsync();
} catch (error) {
  printError(error);
  process.exitCode = 1;
}
