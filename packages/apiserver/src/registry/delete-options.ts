import { type FieldFault, fieldFault, invalid } from "@dhow/kube";
import { dryRunFaults } from "./options.ts";
import { integerOf, isTrue } from "./query.ts";

/** meta/v1 DeleteOptions, from the body or from query parameters. */
export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: "Orphan" | "Background" | "Foreground" | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
  /** As they came, for admission. */
  readonly given: Readonly<Record<string, unknown>>;
}

interface Given {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  dryRun?: string[];
  preconditions?: { uid?: string; resourceVersion?: string };
}

const policies = ["Foreground", "Background", "Orphan", "nil"];

/** Query parameters count only where there is no body (apiserver/pkg/endpoints/handlers/delete.go). */
export function parseDeleteOptions(body: Record<string, unknown> | undefined, query: URLSearchParams): DeleteOptions {
  const given = (body ?? fromQuery(query)) as Given;
  const { propagationPolicy: policy, orphanDependents, dryRun = [] } = given;
  const faults: FieldFault[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    faults.push(
      fieldFault.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"),
    );
  }
  if (policy !== undefined && !policies.slice(0, 3).includes(policy)) {
    faults.push(fieldFault.notSupported("propagationPolicy", policy, policies));
  }
  faults.push(...dryRunFaults(dryRun));
  if (faults.length > 0) throw invalid("meta.k8s.io", "DeleteOptions", "", faults);
  const grace = given.gracePeriodSeconds ?? undefined;
  return {
    dryRun: dryRun.length > 0,
    // Negative counts as one second (rest/delete.go).
    gracePeriodSeconds: grace !== undefined && grace < 0 ? 1 : grace,
    propagationPolicy: policy as DeleteOptions["propagationPolicy"],
    orphanDependents,
    preconditions: given.preconditions ?? {},
    given: { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", ...given },
  };
}

function fromQuery(query: URLSearchParams): Given {
  const grace = integerOf(query, "gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  const orphan = query.get("orphanDependents");
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
    ...(dryRun.length > 0 ? { dryRun } : {}),
  };
}
