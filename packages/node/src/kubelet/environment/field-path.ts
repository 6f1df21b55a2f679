import { type Container, type Pod, Quantity } from "@dhow/kube";

/** What a pod cannot know of itself before it has its network. */
export interface PodFacts {
  readonly podIP: string;
  readonly hostIP: string;
  readonly nodeName: string;
  /** What the node has to give, where a container sets no limit. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The value of a downward API fieldRef (pkg/fieldpath/fieldpath.go and podFieldSelectorRuntimeValue). */
export function fieldValue(pod: Pod, path: string, facts: PodFacts): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return pod.metadata.name ?? "";
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "metadata.labels":
      return formatMap(pod.metadata.labels);
    case "metadata.annotations":
      return formatMap(pod.metadata.annotations);
    case "spec.nodeName":
      return facts.nodeName;
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "";
    case "status.hostIP":
    case "status.hostIPs":
      return facts.hostIP;
    case "status.podIP":
    case "status.podIPs":
      return facts.podIP;
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** Sorted `key="value"` lines with Go's quoting. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(map ?? {}).sort();
  return keys.map((key) => `${key}=${JSON.stringify(map?.[key] ?? "")}`).join("\n");
}

/** The value of a resourceFieldRef: the limit or request divided by `divisor`, rounded up (pkg/api/v1/resource/helpers.go). */
export function resourceValue(
  container: Container,
  resource: string,
  divisor: string | undefined,
  facts: PodFacts,
): string {
  const [kind, name] = split(resource);
  const { requests, limits } = container.resources ?? {};
  const own = kind === "limits" ? limits?.[name] : requests?.[name];
  const value = own ?? (kind === "limits" ? facts.allocatable[name] : undefined) ?? "0";
  const unit = !divisor || divisor === "0" ? "1" : divisor;
  const milli = Quantity.parse(value).milliValue();
  const by = Quantity.parse(unit).milliValue();
  return String(Math.ceil(milli / by));
}

function split(resource: string): ["limits" | "requests", string] {
  const match = /^(limits|requests)\.(.+)$/.exec(resource);
  if (!match) throw new Error(`unsupported container resource : ${resource}`);
  return [match[1] as "limits" | "requests", match[2] ?? ""];
}
