import type { CertificateSigningRequest } from "@dhow/kube";
import { findCondition } from "./conditions.ts";
import { kinds } from "./kinds.ts";
import type { Controller } from "./manager/manager.ts";
import { nameOf } from "./objects.ts";

/** What a signer is to sign. */
export interface CertificateToSign {
  /** The PEM of a PKCS#10 request. */
  readonly request: string;
  readonly usages: readonly string[];
  /** How long it is to hold; the signer's own measure where it is left out. */
  readonly seconds?: number;
}

/** Those of Kubernetes' own signers whose certificates the API server takes (pkg/controller/certificates/signer/signer.go). */
const signers = ["kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet"];

/** Signs the requests for certificates that somebody has approved. */
export const certificateSigning: Controller = {
  name: "certificatesigningrequest-signing",
  start(manager) {
    const { signCertificate } = manager.options;
    if (!signCertificate) return;
    const requests = manager.informer(kinds.certificateSigningRequest);
    const queue = manager.queue("certificatesigningrequest-signing", {
      reconcile: async (name) => {
        const found = requests.get(undefined, name);
        if (!found || !waits(found)) return;
        const { request, usages = [], expirationSeconds } = found.spec;
        const certificate = await signCertificate({
          request: Buffer.from(request, "base64").toString("utf8"),
          usages,
          ...(expirationSeconds === undefined ? {} : { seconds: expirationSeconds }),
        });
        const status = { ...found.status, certificate: Buffer.from(certificate).toString("base64") };
        await manager.client.updateStatus({ ...found, status });
      },
    });
    requests.onChange((request) => {
      if (request && waits(request)) queue.add(nameOf(request));
    });
  },
};

function waits({ spec, status }: CertificateSigningRequest): boolean {
  const has = (type: string) => findCondition(status?.conditions, type) !== undefined;
  return (
    signers.includes(spec.signerName) && has("Approved") && !has("Denied") && !has("Failed") && !status?.certificate
  );
}
