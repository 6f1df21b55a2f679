import { createHash } from "node:crypto";
import { apiVersionOf, groupResource, type ResourceInfo } from "@dhow/kube";

// The forms of discovery that clients without aggregated discovery read (apimachinery meta/v1/types.go).

interface GroupVersion {
  readonly groupVersion: string;
  readonly version: string;
}

export interface PlainGroup {
  readonly name: string;
  readonly versions: readonly GroupVersion[];
  readonly preferredVersion: GroupVersion;
}

/** `GET /api`. @param address host and port of the server. */
export function coreVersions(served: readonly ResourceInfo[], address: string): Record<string, unknown> {
  const versions = new Set(served.filter(({ group }) => group === "").map(({ version }) => version));
  return {
    kind: "APIVersions",
    versions: [...versions],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
  };
}

/** The named groups, each with its versions; the first version is preferred. */
export function namedGroups(served: readonly ResourceInfo[]): PlainGroup[] {
  const groups = new Map<string, GroupVersion[]>();
  for (const info of served) {
    if (info.group === "") continue;
    const versions = groups.get(info.group) ?? [];
    groups.set(info.group, versions);
    const groupVersion = apiVersionOf(info);
    if (!versions.some((one) => one.groupVersion === groupVersion))
      versions.push({ groupVersion, version: info.version });
  }
  return [...groups].map(([name, versions]) => ({ name, versions, preferredVersion: versions[0] as GroupVersion }));
}

/** `GET /apis`. */
export function groupList(served: readonly ResourceInfo[]): Record<string, unknown> {
  return { kind: "APIGroupList", apiVersion: "v1", groups: namedGroups(served) };
}

/** `GET /apis/<group>`; undefined where nothing of it is served. */
export function group(served: readonly ResourceInfo[], name: string): Record<string, unknown> | undefined {
  const found = namedGroups(served).find((one) => one.name === name);
  return found && { kind: "APIGroup", apiVersion: "v1", ...found };
}

/** In what version objects are stored, where it is not the one that is asked for. */
const storedIn: Readonly<Record<string, string>> = {
  "horizontalpodautoscalers.autoscaling": "autoscaling/v2/HorizontalPodAutoscaler",
  "events.events.k8s.io": "/v1/Event",
};

/** Changes when objects move to another version (apiserver/pkg/endpoints/discovery/storageversionhash.go). */
function storageVersionHash(info: ResourceInfo): string {
  const stored = storedIn[groupResource(info)] ?? `${info.group}/${info.version}/${info.kind}`;
  return createHash("sha256").update(stored).digest().subarray(0, 8).toString("base64");
}

function plainResources(info: ResourceInfo): Record<string, unknown>[] {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories } = info;
  const isStored = verbs.includes("list") && verbs.includes("create");
  return [
    {
      name: resource,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length > 0 && { shortNames }),
      ...(categories.length > 0 && { categories }),
      ...(isStored && { storageVersionHash: storageVersionHash(info) }),
    },
    ...info.subresources.map((sub) => ({
      name: `${resource}/${sub.name}`,
      singularName: "",
      namespaced,
      ...(sub.version !== undefined && { group: sub.group, version: sub.version }),
      kind: sub.kind ?? kind,
      verbs: sub.verbs,
    })),
  ];
}

/** `GET /api/v1`, `GET /apis/<group>/<version>`; undefined where nothing of it is served. */
export function resourceList(served: readonly ResourceInfo[], apiVersion: string): Record<string, unknown> | undefined {
  const resources = served.filter((info) => apiVersionOf(info) === apiVersion);
  if (resources.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    ...(apiVersion.includes("/") && { apiVersion: "v1" }),
    groupVersion: apiVersion,
    resources: resources.flatMap(plainResources),
  };
}
