import { randomSuffix } from "@dhow/base";
import type { Pod, ServiceAccount, Volume } from "@dhow/kube";
import type { AdmissionAttributes, AdmissionPlugin } from "../admission.ts";
import type { Store } from "../store.ts";
import { refuse } from "./refusal.ts";

// plugin/pkg/admission/serviceaccount/admission.go

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
const mirror = "kubernetes.io/config.mirror";
/** An hour, and seven seconds by which the API server knows that nobody chose the time. */
const tokenSeconds = 3607;

/** Every pod runs as a service account, and has that account's token at hand unless it does not want it. */
export const serviceAccount: AdmissionPlugin = {
  name: "ServiceAccount",
  admit(attributes, store) {
    const pod = newPod(attributes);
    if (!pod || isMirror(pod)) return;
    pod.spec.serviceAccountName ||= "default";
    pod.spec.serviceAccount = pod.spec.serviceAccountName;
    const account = accountOf(pod, attributes, store);
    if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod);
    const secrets = account.imagePullSecrets ?? [];
    if (!pod.spec.imagePullSecrets?.length && secrets.length > 0) {
      pod.spec.imagePullSecrets = secrets.map(({ name }) => (name === undefined ? {} : { name }));
    }
  },
  validate(attributes, store) {
    const pod = newPod(attributes);
    if (!pod) return;
    if (!isMirror(pod)) {
      accountOf(pod, attributes, store);
      return;
    }
    if (pod.spec.serviceAccountName) throw refuse(attributes, "a mirror pod may not reference service accounts");
    const volumes = pod.spec.volumes ?? [];
    if (volumes.some((volume) => volume.secret)) throw refuse(attributes, "a mirror pod may not reference secrets");
    if (volumes.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken))) {
      throw refuse(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
    }
  },
};

function newPod({ object, operation, resource, subresource }: AdmissionAttributes): Pod | undefined {
  return resource === "pods" && !subresource && operation === "CREATE" ? (object as Pod) : undefined;
}

function isMirror(pod: Pod): boolean {
  return pod.metadata.annotations?.[mirror] !== undefined;
}

function accountOf(pod: Pod, attributes: AdmissionAttributes, store: Store): ServiceAccount {
  const name = pod.spec.serviceAccountName ?? "";
  const account = store.get<ServiceAccount>("serviceaccounts", attributes.namespace, name);
  if (account) return account;
  const message = `error looking up service account ${attributes.namespace}/${name}: serviceaccount "${name}" not found`;
  throw refuse(attributes, message);
}

function mountToken({ spec }: Pod): void {
  const existing = (spec.volumes ?? []).find((volume) => volume.name.startsWith(volumePrefix));
  const name = existing?.name ?? `${volumePrefix}${randomSuffix(5)}`;
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    mounted = true;
  }
  if (mounted && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}
