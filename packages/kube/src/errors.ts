import { DhowError } from "@dhow/base";

/** Every way in which a person's own input is refused by this package; what an API server refuses is a StatusError. */
export const kubeErrors = {
  kubeconfigUnreadable: (path: string, cause: unknown) =>
    new DhowError({
      code: "KUBE_CONFIG_UNREADABLE",
      message: `the kubeconfig ${path} cannot be read`,
      instead: "name an existing file, or set KUBECONFIG to one",
      cause,
    }),
  kubeconfigInvalid: (message: string, instead: string, cause?: unknown) =>
    new DhowError({ code: "KUBE_CONFIG_INVALID", message: `the kubeconfig ${message}`, instead, cause }),
} as const;
