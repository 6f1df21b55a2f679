/**
 * For a process whose standard output is a file: a disk without space must not end it, as an error of a stream does that nobody listens to.
 * What cannot be written is lost.
 */
export function goOnWithoutLog(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
