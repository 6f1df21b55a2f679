import { type Endpoints, type EndpointSlice, type FieldFault, fieldFault } from "@dhow/kube";
import { isIP, isIPv4, isIPv6 } from "node:net";
import type { Strategy } from "../strategy.ts";
import { immutable, oneOf } from "../validation/metadata.ts";
import { checkLabel1123, checkPortNumber, subdomainName } from "../validation/names.ts";
import { portProtocols } from "./pod/handlers.ts";
import { endpointAddressFaults, loopbackMessage } from "./service-validation.ts";

// pkg/apis/core/validation/validation.go, pkg/apis/discovery/validation/validation.go

const { duplicate, invalid, required, tooMany } = fieldFault;

export const endpoints: Strategy = {
  createOnUpdate: true,
  applyDefaults(object) {
    for (const subset of (object as Endpoints).subsets ?? [])
      for (const port of subset.ports ?? []) port.protocol ||= "TCP";
  },
  validate: (object) => [...endpointsFaults(object as Endpoints)],
  warnings: () => ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
};

function* endpointsFaults({ subsets = [] }: Endpoints): Generator<FieldFault> {
  for (const [index, subset] of subsets.entries()) {
    const at = `subsets[${index}]`;
    const [addresses, waiting] = [subset.addresses ?? [], subset.notReadyAddresses ?? []];
    if (addresses.length === 0 && waiting.length === 0)
      yield required(at, "must specify `addresses` or `notReadyAddresses`");
    for (const [kind, list] of [
      ["addresses", addresses],
      ["notReadyAddresses", waiting],
    ] as const) {
      for (const [addressIndex, address] of list.entries()) {
        const place = `${at}.${kind}[${addressIndex}]`;
        yield* endpointAddressFaults(address.ip ?? "", `${place}.ip`);
        if (isIP(address.ip ?? "") === 0) yield invalid(`${place}.ip`, address.ip ?? "", "must be a valid IP address");
        if (address.hostname) {
          for (const message of checkLabel1123(address.hostname))
            yield invalid(`${place}.hostname`, address.hostname, message);
        }
      }
    }
    for (const [portIndex, port] of (subset.ports ?? []).entries()) {
      const place = `${at}.ports[${portIndex}]`;
      if (port.name)
        for (const message of checkLabel1123(port.name)) yield invalid(`${place}.name`, port.name, message);
      else if ((subset.ports ?? []).length > 1) yield required(`${place}.name`);
      for (const message of checkPortNumber(port.port ?? 0)) yield invalid(`${place}.port`, port.port ?? 0, message);
      yield* oneOf(port.protocol, portProtocols, `${place}.protocol`);
    }
  }
}

export const endpointSlices: Strategy = {
  hasGeneration: true,
  applyDefaults(object) {
    for (const port of (object as EndpointSlice).ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: (object) => [...sliceFaults(object as EndpointSlice)],
  validateUpdate: (object, old) => [
    ...immutable((object as EndpointSlice).addressType, (old as EndpointSlice).addressType, "addressType"),
  ],
};

function* sliceFaults(slice: EndpointSlice): Generator<FieldFault> {
  yield* oneOf(slice.addressType, ["FQDN", "IPv4", "IPv6"], "addressType");
  const names = new Set<string>();
  for (const [index, { name = "", protocol }] of (slice.ports ?? []).entries()) {
    if (name) for (const message of checkLabel1123(name)) yield invalid(`ports[${index}].name`, name, message);
    if (names.has(name)) yield duplicate(`ports[${index}].name`, name);
    names.add(name);
    yield* oneOf(protocol, portProtocols, `ports[${index}].protocol`);
  }
  const all = slice.endpoints ?? [];
  if (all.length > 1000) yield tooMany("endpoints", all.length, 1000);
  for (const [index, endpoint] of all.entries()) {
    const at = `endpoints[${index}]`;
    const addresses = endpoint.addresses ?? [];
    if (addresses.length === 0) yield required(`${at}.addresses`, "must contain at least 1 address");
    for (const [addressIndex, address] of addresses.entries()) {
      const place = `${at}.addresses[${addressIndex}]`;
      if (slice.addressType === "FQDN") continue;
      yield* endpointAddressFaults(address, place);
      const fits = slice.addressType === "IPv6" ? isIPv6(address) : isIPv4(address);
      if (!fits && (isIPv4(address) || isIPv6(address))) {
        yield invalid(`${at}.addresses`, address, `must be an ${slice.addressType} address`);
      }
    }
    if (endpoint.nodeName !== undefined) {
      for (const message of subdomainName(endpoint.nodeName, false))
        yield invalid(`${at}.nodeName`, endpoint.nodeName, message);
    }
    if (endpoint.hostname !== undefined) {
      for (const message of checkLabel1123(endpoint.hostname))
        yield invalid(`${at}.hostname`, endpoint.hostname, message);
    }
  }
}

/**
 * The same without the rule that no endpoint is in the loopback range: for a cluster whose pods are plain processes, which have no other addresses.
 */
export function allowLoopback(strategy: Strategy, allowed: () => boolean): Strategy {
  return {
    ...strategy,
    validate(object) {
      const faults = strategy.validate?.(object) ?? [];
      return allowed() ? faults.filter(({ detail }) => detail !== loopbackMessage) : faults;
    },
  };
}
