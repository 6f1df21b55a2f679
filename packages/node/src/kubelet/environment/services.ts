import type { Service } from "@dhow/kube";

/**
 * The variables that tell a container where services are: `REDIS_SERVICE_HOST`, `REDIS_SERVICE_PORT` and the older Docker links
 * (pkg/kubelet/envvars/envvars.go). Of the pod's own namespace, and always of `kubernetes`; without service links of that one alone.
 */
export function serviceVariables(
  services: readonly Service[],
  namespace: string,
  links: boolean,
): Record<string, string> {
  const variables: Record<string, string> = {};
  const selected = services.filter((service) => {
    const ip = service.spec?.clusterIP;
    if (!ip || ip === "None") return false;
    const { namespace: of, name } = service.metadata;
    return (of === "default" && name === "kubernetes") || (links && of === namespace);
  });
  for (const service of selected) {
    // The pod's own namespace may have a service of that name too, which then wins.
    const hidden =
      service.metadata.namespace !== namespace &&
      selected.some((one) => one.metadata.namespace === namespace && one.metadata.name === service.metadata.name);
    if (!hidden) Object.assign(variables, variablesOf(service));
  }
  return variables;
}

function variablesOf(service: Service): Record<string, string> {
  const prefix = (service.metadata.name ?? "").toUpperCase().replaceAll("-", "_");
  const ip = service.spec?.clusterIP ?? "";
  const variables: Record<string, string> = { [`${prefix}_SERVICE_HOST`]: ip };
  for (const [index, port] of (service.spec?.ports ?? []).entries()) {
    const protocol = port.protocol ?? "TCP";
    const url = `${protocol.toLowerCase()}://${ip}:${port.port}`;
    if (index === 0) {
      variables[`${prefix}_SERVICE_PORT`] = String(port.port);
      variables[`${prefix}_PORT`] = url;
    }
    if (port.name)
      variables[`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll("-", "_")}`] = String(port.port);
    const link = `${prefix}_PORT_${port.port}_${protocol}`;
    variables[link] = url;
    variables[`${link}_PROTO`] = protocol.toLowerCase();
    variables[`${link}_PORT`] = String(port.port);
    variables[`${link}_ADDR`] = ip;
  }
  return variables;
}
