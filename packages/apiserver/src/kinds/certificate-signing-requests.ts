import { type CertificateSigningRequest, type FieldFault, fieldFault } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";

// pkg/apis/certificates/validation/validation.go, pkg/registry/certificates/certificates/strategy.go

const { invalid, required } = fieldFault;

export const certificateSigningRequests: Strategy = {
  applyDefaults(object) {
    const { spec } = object as CertificateSigningRequest;
    if (spec && !spec.usages?.length) spec.usages = ["digital signature", "key encipherment"];
  },
  prepareForUpdate(object, old) {
    (object as CertificateSigningRequest).spec = (old as CertificateSigningRequest).spec;
  },
  validate: (object) => [...requestFaults(object as CertificateSigningRequest)],
};

function* requestFaults({ spec }: CertificateSigningRequest): Generator<FieldFault> {
  const pem = Buffer.from(spec?.request ?? "", "base64").toString();
  if (!pem.includes("-----BEGIN CERTIFICATE REQUEST-----")) {
    yield invalid("spec.request", spec?.request ?? "", "PEM block type must be CERTIFICATE REQUEST");
  }
  if (!spec?.usages?.length) yield required("spec.usages", "usages must be provided");
  if (!spec?.signerName) yield required("spec.signerName");
  const seconds = spec?.expirationSeconds;
  if (seconds !== undefined && seconds < 600) {
    yield invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)");
  }
}
