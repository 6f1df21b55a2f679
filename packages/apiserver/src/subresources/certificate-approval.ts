import type { CertificateSigningRequest } from "@dhow/kube";
import type { View } from "./view.ts";

/** Conditions of a certificate request, set by whoever may approve it (pkg/registry/certificates/certificates/strategy.go). */
export const certificateApproval: View = {
  verbs: ["get", "update", "patch"],
  ofStatus: true,
  read: (object) => object,
  write(object, wish) {
    const { conditions } = (wish as CertificateSigningRequest).status ?? {};
    return {
      ...object,
      status: { ...(object as CertificateSigningRequest).status, ...(conditions ? { conditions } : {}) },
    };
  },
};
