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
export { KubeClient, refOf } from "./client/client.ts";
export { type ChangeCallback, Informer, type InformerOptions, startInformer } from "./client/informer.ts";
export type {
  ApplyOptions,
  DeleteOptions,
  GetOptions,
  ListOptions,
  PatchOptions,
  PatchType,
  WatchOptions,
  WriteOptions,
} from "./client/options.ts";
export { readJson, readText } from "./client/bodies.ts";
export type { ObjectRef } from "./client/paths.ts";
export type { WatchEvent } from "./client/watch-stream.ts";
export { clone, deepEqual, deepFreeze } from "./equality.ts";
export { type Connection, httpTransport, type HttpTransport } from "./http-transport.ts";
export { defaultKubeconfigPath, type KubeconfigContext, loadKubeconfig } from "./kubeconfig.ts";
