export {
  type FieldFault,
  fieldFault,
  type FieldFaultType,
  faultBody,
  formatFault,
  omittedValue,
} from "./field-fault.ts";
export { goJson } from "./schema/go-json.ts";
export type { HttpRequest, HttpResponse, Transport, WatchNotice } from "./http.ts";
export { quote } from "./quote.ts";
export { timestamp } from "./timestamp.ts";
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
export { KubeconfigTransport } from "./kubeconfig-transport.ts";
export { type Connection, httpTransport, type HttpTransport } from "./http-transport.ts";
export { defaultKubeconfigPath, type KubeconfigContext, loadKubeconfig } from "./kubeconfig.ts";
export {
  type Decoded,
  decodeJson,
  decodeKind,
  notAnObject,
  otherKindCause,
  refuseStrict,
  strictDecodingError,
  summarize,
} from "./schema/decode-object.ts";
export { decodeFields } from "./schema/decode.ts";
export type { FieldSchema, ListType } from "./schema/field.ts";
export { duplicateFields, JsonSyntaxError, parseJson } from "./schema/json-text.ts";
export { DecodeError } from "./schema/scalars.ts";
export {
  kindSchema,
  type ObjectSchema,
  type Scalar,
  schemaVersion,
  typeNames,
  typeSchema,
  type ValueSchema,
} from "./schema/schema.ts";
export { scaledValue } from "./int-or-string.ts";
export { Quantity } from "./quantity.ts";
export {
  escapeFieldValue,
  type FieldRequirement,
  matchesFields,
  parseFieldSelector,
} from "./selectors/field-selector.ts";
export {
  formatLabelSelector,
  formatRequirements,
  type LabelMatcher,
  labelMatcher,
  type LabelOperator,
  type LabelRequirement,
  matchesLabels,
  selectorMatcher,
  selectorRequirements,
} from "./selectors/label-selector.ts";
export { labelKeyFaults, labelValueFaults } from "./selectors/label-syntax.ts";
export { parseLabelSelector } from "./selectors/parse-labels.ts";
export { decodeProtobuf } from "./protobuf/decode.ts";
export { jsonPatch } from "./patch/json-patch.ts";
export { mergePatch } from "./patch/merge-patch.ts";
export { strategicMergePatch } from "./patch/strategic-merge-patch.ts";
export { openapiHash, openapiKey, openapiV2, openapiV3, openapiV3Index } from "./openapi/documents.ts";
export { openapiV2Protobuf } from "./openapi/v2-protobuf.ts";
export { applyPatch, type ApplyPatchOptions } from "./apply/apply-patch.ts";
export { customType, type StructuralSchema } from "./apply/custom-type.ts";
export type { MapType } from "./apply/node-type.ts";
export { trackUpdate, type UpdateOptions } from "./apply/track-update.ts";
export { onlyTimesDiffer } from "./apply/unchanged.ts";
export { jsonKind } from "./patch/errors.ts";
