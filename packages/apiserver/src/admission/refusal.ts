import { forbidden, type StatusError } from "@dhow/kube";
import type { AdmissionAttributes } from "../admission.ts";

/** The 403 of a plugin that refuses (apiserver/pkg/admission/errors.go). */
export function refuse(attributes: AdmissionAttributes, message: string): StatusError {
  const { name, object, resource } = attributes;
  return forbidden(resource, name || (object?.metadata.generateName ?? ""), message);
}
