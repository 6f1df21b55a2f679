import { type ChildProcessWithoutNullStreams, execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { realKubernetes } from "@dhow/testkit";

/** One installed kubectl. */
export interface KubectlProgram {
  readonly path: string;
  /** As `1.32`. */
  readonly version: string;
}

export interface KubectlAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Words = readonly [strings: TemplateStringsArray, ...values: unknown[]];

/** What the suites state holds from this minor version of Kubernetes 1 on: older ones word things in other ways, as 1.20 of Debian 12 does. */
const oldest = 30;

/**
 * The kubectls of this machine that the suites are tried with, newest first: that of the PATH, and that of the real Kubernetes where
 * there is one. `DHOW_KUBECTL` names others, parted as in PATH. Those before 1.30 are left out.
 */
export function kubectlPrograms(): readonly KubectlProgram[] {
  return (programs ??= findPrograms().filter((program) => minorOf(program) >= oldest));
}

/** Why there is no kubectl to try with; undefined where there is one. */
export function noKubectl(): string | undefined {
  if (kubectlPrograms().length > 0) return undefined;
  const found = findPrograms().map(({ version }) => version);
  return `needs a kubectl of 1.${oldest} or newer; ${found.length > 0 ? `here is ${found.join(", ")}` : "there is none"}`;
}

let programs: readonly KubectlProgram[] | undefined;

function findPrograms(): KubectlProgram[] {
  const named = process.env["DHOW_KUBECTL"]?.split(delimiter);
  const paths = named ?? [...ofPath(), ...ofRealKubernetes()];
  const byVersion = new Map(paths.map((path) => [versionOf(path), path]));
  return [...byVersion].map(([version, path]) => ({ version, path })).sort(newestFirst);
}

function newestFirst(a: KubectlProgram, b: KubectlProgram): number {
  return minorOf(b) - minorOf(a);
}

function minorOf({ version }: KubectlProgram): number {
  return Number(version.split(".")[1]);
}

function ofPath(): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, "kubectl")).filter((path) => existsSync(path));
  return found.map((path) => {
    // Google's kubectl starts another version of itself, by the server's; that which it says it is lies beside it.
    const itself = `${realpathSync(path)}.1.32`;
    return existsSync(itself) ? itself : path;
  });
}

function ofRealKubernetes(): string[] {
  const { folder } = realKubernetes();
  if (!folder) return [];
  const script = 'source "$1/common.sh"; here=$1; unpacked';
  return [join(execFileSync("bash", ["-c", script, "-", folder], { encoding: "utf8" }).trim(), "kubectl")];
}

function versionOf(path: string): string {
  const answer = execFileSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8" });
  const { major, minor } = (JSON.parse(answer) as { clientVersion: { major: string; minor: string } }).clientVersion;
  return `${major}.${parseInt(minor, 10)}`;
}

export interface KubectlOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly home: string;
  readonly program?: KubectlProgram;
}

/** Runs kubectl as a person would type it: `` kubectl.run`get pods -l ${selector}` `` where what is put in stays one word, whatever it holds. */
export class Kubectl {
  readonly #options: KubectlOptions;
  readonly #input: string | Uint8Array | undefined;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(
    options: KubectlOptions,
    more: { input?: string | Uint8Array; environment?: Readonly<Record<string, string>> } = {},
  ) {
    this.#options = options;
    this.#input = more.input;
    this.#environment = more.environment ?? {};
  }

  /** The same with something on its standard input. */
  fed(input: string | Uint8Array | object): Kubectl {
    const text = typeof input === "string" || input instanceof Uint8Array ? input : JSON.stringify(input);
    return new Kubectl(this.#options, { environment: this.#environment, input: text });
  }

  with(environment: Readonly<Record<string, string>>): Kubectl {
    return new Kubectl(this.#options, { environment });
  }

  /** What it printed; throws where it failed. */
  async run(...words: Words): Promise<string> {
    const list = split(...words);
    const { code, stdout, stderr } = await this.#execute(list);
    if (code === 0) return stdout;
    throw new Error(`kubectl ${list.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  }

  /** What it said where it was to fail; throws where it did not. */
  async refused(...words: Words): Promise<string> {
    const list = split(...words);
    const { code, stdout, stderr } = await this.#execute(list);
    if (code !== 0) return stderr.trim();
    throw new Error(`kubectl ${list.join(" ")} was to fail, and printed ${stdout}`);
  }

  answer(...words: Words): Promise<KubectlAnswer> {
    return this.#execute(split(...words));
  }

  /** The object or list that `get -o json` and the like print. */
  async json<T>(...words: Words): Promise<T> {
    return JSON.parse(await this.run(...words)) as T;
  }

  /** One that goes on until it is ended. */
  start(...words: Words): Running {
    const child = spawn(this.#program(), this.#words(split(...words)), { env: this.#variables(), stdio: "pipe" });
    return new Running(child);
  }

  #execute(words: readonly string[]): Promise<KubectlAnswer> {
    return new Promise((resolve, reject) => {
      const options = { env: this.#variables(), encoding: "utf8", maxBuffer: 64 << 20, timeout: 90_000 } as const;
      const child = execFile(this.#program(), this.#words(words), options, (error, stdout, stderr) => {
        if (error && typeof error.code !== "number") {
          const why = error.killed ? "did not end in 90 s" : error.message;
          reject(new Error(`kubectl ${words.join(" ")}: ${why}\n${stderr}${stdout}`));
        } else resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      });
      // A kubectl that does not read its input to the end is no fault of the test.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(this.#input ?? "");
    });
  }

  #program(): string {
    return (this.#options.program ?? kubectlPrograms()[0])?.path ?? "kubectl";
  }

  #words(words: readonly string[]): string[] {
    return ["--kubeconfig", this.#options.kubeconfig, "-n", this.#options.namespace, ...words];
  }

  #variables(): NodeJS.ProcessEnv {
    return { PATH: process.env["PATH"], HOME: this.#options.home, ...this.#environment };
  }
}

/** A kubectl that goes on: what it has printed so far, and its end. */
export class Running implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number>;
  stdout = "";
  stderr = "";

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    child.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill();
    await this.ended;
  }
}

/** Words of the text are parted at white space; what is put in is never parted, and belongs to the text that it touches; a list is a word each. */
function split(strings: TemplateStringsArray, ...values: unknown[]): string[] {
  const words: string[] = [];
  let open: string | undefined;
  for (const [index, text] of strings.entries()) {
    const pieces = text.split(/\s+/);
    for (const [at, piece] of pieces.entries()) {
      if (at > 0 && open !== undefined) {
        words.push(open);
        open = undefined;
      }
      if (piece !== "") open = (open ?? "") + piece;
    }
    const value = values[index];
    if (Array.isArray(value)) {
      if (open !== undefined) words.push(open);
      open = undefined;
      words.push(...value.map(String));
    } else if (index < values.length) open = (open ?? "") + String(value);
  }
  if (open !== undefined) words.push(open);
  return words;
}
