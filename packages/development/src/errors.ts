import { DhowError, type Fault } from "@dhow/base";

export type DevelopmentErrorCode =
  | "SYSTEM_NOT_FOUND"
  | "SYSTEM_NOT_EXPORTED"
  | "SYSTEM_FAILS"
  | "SYSTEM_SYNTAX"
  | "SYSTEM_NO_SOURCE"
  | "SYSTEM_NOT_RUNNING"
  | "SYSTEM_RUNS"
  | "SYSTEM_NO_SUCH_NAME"
  | "SYSTEM_NOT_READY";

export function developmentError(code: DevelopmentErrorCode, fault: Omit<Fault, "code">): DhowError {
  return new DhowError({ code, ...fault });
}
