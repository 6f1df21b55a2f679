import { constants } from "node:os";

/** What is taken back last is what was made first. */
const endings = new Set<() => Promise<void> | void>();

/** Has something taken back at the latest when the bench ends; the returned function takes it back now, once. */
export function atTheEnd(end: () => Promise<void> | void): () => Promise<void> {
  const once = async () => {
    if (endings.delete(once)) await end();
  };
  endings.add(once);
  return once;
}

/** Takes back everything that is still there. One thing that cannot be taken back keeps nobody from the others. */
export async function endEverything(): Promise<void> {
  for (const end of [...endings].reverse()) {
    try {
      await end();
    } catch (error) {
      console.error(error);
    }
  }
}

/** Ends what the bench has started when somebody ends the bench: by Ctrl-C, by a timeout, or by killing its launcher. */
export function endWithLauncher(): void {
  const stop = (code: number) => void endEverything().then(() => process.exit(code));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => stop(128 + constants.signals[signal]));
  process.once("disconnect", () => stop(1));
  // Whoever listens to the channel is kept alive by it, unless said.
  process.channel?.unref();
}
