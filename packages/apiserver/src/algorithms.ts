// Until the kube package names these publicly.
export { labelMatcher } from "../../kube/src/selectors/label-selector.ts";
export { parseLabelSelector } from "../../kube/src/selectors/parse-labels.ts";
export { type FieldRequirement, parseFieldSelector } from "../../kube/src/selectors/field-selector.ts";
export { decodeJson, decodeKind, strictDecodingError } from "../../kube/src/schema/decode-object.ts";
