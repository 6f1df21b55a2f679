// How a program gets its environment. Everybody on the machine can read a command line, and those of unshare and nsenter stay
// there for as long as the program runs; so variables, which carry secrets, come through descriptor 3.
import type { ContainerConfig } from "./sandbox.ts";
import { toolCommand } from "./tools.ts";

type Environment = Readonly<Record<string, string>>;

/** What container runtimes set where the image says nothing. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The command line of a shell with nothing in its environment, whose `script` has `readEnvironment` in it. */
export function bareShell(config: ContainerConfig, script: string, options: readonly string[] = []): string[] {
  const env = [...toolCommand("env", config.root), "--ignore-environment", ...options, `PATH=${defaultPath}`];
  return [...env, ...toolCommand("sh", config.root), "-c", script, "sh"];
}

/** Shell: takes the variables from descriptor 3, up to an empty line; afterwards `dhow_exec PROGRAM …` becomes the program. */
export const readEnvironment = `dhow_newline='
'
dhow_exec() { exec "$@"; }
unset PWD OLDPWD SHLVL
while IFS= read -r dhow_line && [ "$dhow_line" ]; do eval "$dhow_line"; done <&3
`;

/** What is to be written to descriptor 3: one line a variable. */
export function environmentText(config: ContainerConfig, more: Environment = {}): string {
  const variables = Object.entries({ PATH: defaultPath, ...config.env, ...more });
  const exported = variables.filter(([name]) => isExportable(name));
  const others = variables.filter(([name]) => !isExportable(name));
  const lines = exported.map(([name, value]) => `export ${name}=${quoted(value)}`);
  if (others.length > 0) {
    // On a command line after all, but until the program has started only.
    const words = others.map(([name, value]) => quoted(`${name}=${value}`)).join(" ");
    lines.push(`dhow_exec() { exec ${toolCommand("env", config.root).join(" ")} ${words} "$@"; }`);
  }
  return [...lines, "", ""].join("\n");
}

/** Names that a shell can export, and that mean nothing to one (dash, bash, BusyBox); Kubernetes allows others, like `a.b`. */
function isExportable(name: string): boolean {
  const isIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  const isOfShell =
    /^(_|OPTIND|OPTARG|LINENO|PPID|E?UID|GROUPS|IFS|PS[0-4]|ENV|BASH.*|SHELLOPTS|RANDOM|SECONDS|dhow_.*)$/;
  return isIdentifier && !isOfShell.test(name);
}

function quoted(value: string): string {
  if (value.includes("\0")) throw new Error("an environment variable must not contain a NUL character");
  return `'${value.replaceAll("'", `'\\''`).replaceAll("\n", `'"$dhow_newline"'`)}'`;
}
