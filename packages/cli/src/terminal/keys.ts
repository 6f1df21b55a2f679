/** Calls what belongs to a key while a person sits at a terminal; elsewhere nothing happens. */
export function listenToKeys(actions: Readonly<Record<string, () => void>>): { close(): void } {
  const { stdin } = process;
  if (!stdin.isTTY) return { close: () => undefined };
  const onData = (data: Buffer) => {
    for (const key of data.toString()) actions[key]?.();
  };
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on("data", onData);
  return {
    close() {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
