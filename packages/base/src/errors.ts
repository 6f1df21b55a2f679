/** Where in a person's own files something is wrong. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Fault {
  /** Stable and greppable, such as `MODEL_DUPLICATE_NAME`; each package lists its own in `src/errors.ts`. */
  readonly code: string;
  /** What is wrong, with the offending value, in one sentence. */
  readonly message: string;
  readonly place?: Place;
  /** What to write or do instead. */
  readonly instead?: string;
  readonly cause?: unknown;
}

/** An error that a person made and can mend: what is wrong, where, and what to write instead. Anything else that is thrown is a fault of Dhow's own. */
export class DhowError extends Error {
  readonly code: string;
  readonly place: Place | undefined;
  readonly instead: string | undefined;

  constructor(fault: Fault) {
    super(fault.message, fault.cause === undefined ? undefined : { cause: fault.cause });
    this.name = "DhowError";
    this.code = fault.code;
    this.place = fault.place;
    this.instead = fault.instead;
  }
}

/** `file:line:column`, as editors and terminals recognise it. */
export function formatPlace(place: Place): string {
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
