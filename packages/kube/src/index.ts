export { type FieldFault, fieldFault, type FieldFaultType, faultBody, formatFault } from "./field-fault.ts";
export type { HttpRequest, HttpResponse, Transport } from "./http.ts";
export { quote } from "./quote.ts";
export {
  alreadyExists,
  applyConflict,
  badRequest,
  conflict,
  expired,
  forbidden,
  generateNameConflict,
  internalError,
  invalid,
  isStatusError,
  methodNotAllowed,
  notAcceptable,
  notFound,
  serverTimeout,
  serviceUnavailable,
  type Status,
  type StatusCause,
  type StatusDetails,
  StatusError,
  statusOf,
  timeout,
  tooLarge,
  tooManyRequests,
  unauthorized,
  unknownMethod,
  unknownResource,
  unsupportedMediaType,
} from "./status.ts";
export type * from "./generated/types.ts";
export type { IntOrString, KubeList, KubeObject } from "./objects.ts";
export {
  apiVersionOf,
  builtInResources,
  groupResource,
  parseApiVersion,
  resourceByKind,
  resourceByName,
  type ResourceInfo,
  type SubresourceInfo,
} from "./resources.ts";
