import { DhowError, type Place } from "@dhow/base";

/** Every way in which a description can be wrong; each is the fault of whoever wrote `system.ts`. */
export type ModelErrorCode =
  | "MODEL_CYCLE"
  | "MODEL_DUPLICATE_NAME"
  | "MODEL_INVALID_NAME"
  | "MODEL_INVALID_VALUE"
  | "MODEL_MISSING_FIELD"
  | "MODEL_NOT_A_SYSTEM"
  | "MODEL_REFERENCE_TO_NOTHING"
  | "MODEL_UNKNOWN_ENVIRONMENT"
  | "MODEL_UNKNOWN_FIELD";

/** An error in a description, and the field it is about, by which whoever has the file finds the very line. */
export class ModelError extends DhowError {
  readonly field: string | undefined;

  constructor(fault: {
    code: ModelErrorCode;
    message: string;
    instead: string;
    place: Place | undefined;
    field?: string;
  }) {
    super({
      code: fault.code,
      message: fault.message,
      instead: fault.instead,
      ...(fault.place && { place: fault.place }),
    });
    this.name = "ModelError";
    this.field = fault.field;
  }
}
