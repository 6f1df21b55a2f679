import type { KubeObject } from "@dhow/kube";
import type { AdjustableObject, System, Value, ValueKind } from "@dhow/model";
import { compileAdminer } from "./adminer.ts";
import { type Context, contextOf } from "./context.ts";
import { compileIngress } from "./ingress.ts";
import { namespaceObjects } from "./namespace.ts";
import { compilePostgres } from "./postgres.ts";
import { compileSecret } from "./secret.ts";
import { compileService } from "./service.ts";

type Compilers = {
  readonly [Kind in ValueKind]: (value: Extract<Value, { kind: Kind }>, context: Context) => KubeObject[];
};

/** One file a kind: a kind without one does not compile. */
const compilers: Compilers = {
  adminer: compileAdminer,
  ingress: compileIngress,
  postgres: compilePostgres,
  secret: compileSecret,
  service: compileService,
};

/** The order in which objects are applied: what others need comes first. */
const order = [
  "Namespace",
  "ResourceQuota",
  "LimitRange",
  "ServiceAccount",
  "Secret",
  "PersistentVolumeClaim",
  "NetworkPolicy",
  "Service",
  "Deployment",
  "PodDisruptionBudget",
  "Ingress",
];

/** A system as Kubernetes objects: the same for a laptop and for a cloud, in the order in which they are applied. Pure. */
export function compile(system: System): KubeObject[] {
  const context = contextOf(system);
  const objects = [...namespaceObjects(context), ...system.values.flatMap((value) => compileValue(value, context))];
  return objects.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function compileValue(value: Value, context: Context): KubeObject[] {
  // TypeScript does not relate the kind of the value to that of the compiler that the table gives for it.
  const objects = (compilers[value.kind] as (value: Value, context: Context) => KubeObject[])(value, context);
  const adjust = "options" in value ? value.options.adjust : undefined;
  return adjust ? adjust(objects as AdjustableObject[]) : objects;
}
