import { type ChildProcess, spawn } from "node:child_process";

/** Reads `+ group` and `- group` lines until their end, which comes when the agent ends, however it ends; then kills every process group that is left. */
const program = `
groups=" "
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -9 "-$group" 2> /dev/null; done`;

/** Outlives the agent by a moment, so that no pod does. */
export class Guard {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = spawn("sh", ["-c", program], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#process.on("error", () => undefined);
    this.#process.stdin?.on("error", () => undefined);
    this.#process.unref();
  }

  add(group: number): void {
    this.#process.stdin?.write(`+ ${group}\n`);
  }

  remove(group: number): void {
    this.#process.stdin?.write(`- ${group}\n`);
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
