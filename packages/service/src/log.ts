/** What a log line says beside its message: plain JSON values. An Error becomes its message and stack. */
export type LogFields = Readonly<Record<string, unknown>>;

let service: string | undefined;

/** Names the service in every line from now on; `serve` does it. */
export function nameLog(name: string): void {
  service = name;
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return {
    name: value.name,
    message: value.message,
    stack: value.stack,
    ...(value.cause === undefined ? {} : { cause: plain(value.cause) }),
  };
}

function write(level: string, message: string, fields: LogFields): void {
  const line: Record<string, unknown> = { timestamp: new Date().toISOString(), level, service, message };
  for (const [key, value] of Object.entries(fields)) line[key] = plain(value);
  // Standard output is a pipe or a file in a pod, where writes of Node are synchronous: nothing is lost at an exit.
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** JSON logs, one object a line on standard output: `timestamp` (ISO 8601, UTC), `level`, `service`, `message`, and the given fields. */
export const log = {
  info: (message: string, fields: LogFields = {}): void => write("info", message, fields),
  warn: (message: string, fields: LogFields = {}): void => write("warn", message, fields),
  error: (message: string, fields: LogFields = {}): void => write("error", message, fields),
};
