/**
 * What an engine tells its host while it works. Engines never print and never ask: the CLI, the console and the tests are
 * three hosts that show, serve or record these.
 */
export interface Report {
  /** What kind of thing happened, such as `workload.ready` or `cluster.started`: a stable word that a host may switch on. */
  readonly kind: string;
  readonly level: "debug" | "info" | "warn" | "error";
  /** What it is about: the name of a workload, a file, a node. */
  readonly subject: string;
  /** One sentence for a person. */
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Reporter {
  report(report: Report): void;
}

/** For callers whom nobody is listening to. */
export const silent: Reporter = { report: () => undefined };
