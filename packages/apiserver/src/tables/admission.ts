import type {
  FlowSchema,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  PriorityLevelConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from "@dhow/kube";
import { none, selectorText, unset } from "./cells.ts";
import { ageColumn, type Cell, column, nameColumn, table } from "./definition.ts";
import { since } from "./duration.ts";

const webhookColumns = [nameColumn, column("Webhooks", "integer"), ageColumn];

type WebhookConfiguration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

function webhookCells({ metadata, webhooks }: WebhookConfiguration, now: number): Cell[] {
  return [metadata.name ?? "", webhooks?.length ?? 0, since(metadata.creationTimestamp, now)];
}

function paramKind(kind: { apiVersion?: string; kind?: string } | undefined): string {
  return kind ? `${kind.apiVersion}/${kind.kind}` : unset;
}

type PolicyBinding = MutatingAdmissionPolicyBinding | ValidatingAdmissionPolicyBinding;

const bindingColumns = [nameColumn, column("PolicyName"), column("ParamRef"), ageColumn];

function bindingCells({ metadata, spec }: PolicyBinding, now: number): Cell[] {
  const param = spec?.paramRef;
  let text = unset;
  if (param?.name) text = `${param.namespace || "*"}/${param.name}`;
  else if (param?.selector) text = selectorText(param.selector);
  return [metadata.name ?? "", spec?.policyName ?? "", text, since(metadata.creationTimestamp, now)];
}

const flowSchemas = table<FlowSchema>({
  columns: [
    nameColumn,
    column("PriorityLevel"),
    column("MatchingPrecedence"),
    column("DistinguisherMethod"),
    ageColumn,
    column("MissingPL"),
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name ?? "",
    spec?.priorityLevelConfiguration.name ?? "",
    spec?.matchingPrecedence ?? 0,
    spec?.distinguisherMethod?.type ?? none,
    since(metadata.creationTimestamp, now),
    status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?",
  ],
});

const priorityLevels = table<PriorityLevelConfiguration>({
  columns: [
    nameColumn,
    column("Type"),
    column("NominalConcurrencyShares"),
    column("Queues"),
    column("HandSize"),
    column("QueueLengthLimit"),
    ageColumn,
  ],
  cells: ({ metadata, spec }, now) => {
    const queuing = spec?.limited?.limitResponse?.queuing;
    return [
      metadata.name ?? "",
      spec?.type ?? "",
      spec?.limited ? (spec.limited.nominalConcurrencyShares ?? 0) : none,
      queuing?.queues ?? none,
      queuing?.handSize ?? none,
      queuing?.queueLengthLimit ?? none,
      since(metadata.creationTimestamp, now),
    ];
  },
});

export const admissionTables = {
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": table<MutatingWebhookConfiguration>({
    columns: webhookColumns,
    cells: webhookCells,
  }),
  "validatingwebhookconfigurations.admissionregistration.k8s.io": table<ValidatingWebhookConfiguration>({
    columns: webhookColumns,
    cells: webhookCells,
  }),
  "mutatingadmissionpolicies.admissionregistration.k8s.io": table<MutatingAdmissionPolicy>({
    columns: [nameColumn, column("Mutations", "integer"), column("ParamKind"), ageColumn],
    cells: ({ metadata, spec }, now) => [
      metadata.name ?? "",
      spec?.mutations?.length ?? 0,
      paramKind(spec?.paramKind),
      since(metadata.creationTimestamp, now),
    ],
  }),
  "validatingadmissionpolicies.admissionregistration.k8s.io": table<ValidatingAdmissionPolicy>({
    columns: [nameColumn, column("Validations", "integer"), column("ParamKind"), ageColumn],
    cells: ({ metadata, spec }, now) => [
      metadata.name ?? "",
      spec?.validations?.length ?? 0,
      paramKind(spec?.paramKind),
      since(metadata.creationTimestamp, now),
    ],
  }),
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io": table<MutatingAdmissionPolicyBinding>({
    columns: bindingColumns,
    cells: bindingCells,
  }),
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": table<ValidatingAdmissionPolicyBinding>({
    columns: bindingColumns,
    cells: bindingCells,
  }),
  "flowschemas.flowcontrol.apiserver.k8s.io": flowSchemas,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": priorityLevels,
} as const;
