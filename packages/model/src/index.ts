export { adminer, type Adminer, type AdminerOptions } from "./adminer.ts";
export { closest } from "./check.ts";
export { addresses, usedTooEarly } from "./collect.ts";
export { type Environment, type EnvironmentOptions } from "./environment.ts";
export { ModelError, type ModelErrorCode } from "./errors.ts";
export { ingress, type Ingress, type IngressOptions } from "./ingress.ts";
export { placeInStack } from "./place.ts";
export { postgres, type Postgres, type PostgresOptions } from "./postgres.ts";
export {
  generated,
  type Generated,
  optional,
  secret,
  type Secret,
  type SecretEntry,
  type SecretKey,
} from "./secret.ts";
export {
  type Address,
  type Amounts,
  type EnvironmentValue,
  type Peer,
  peer,
  type ProbeTiming,
  type Resources,
  service,
  type Service,
  type ServiceOptions,
} from "./service.ts";
export {
  type Build,
  describeSystem,
  system,
  type System,
  type SystemDefinition,
  type SystemOptions,
} from "./system.ts";
export { type Adjust, type AdjustableObject, type Value, type ValueKind } from "./value.ts";
