import {
  type ContainerPort,
  type FieldFault,
  fieldFault,
  type IntOrString,
  type Lifecycle,
  type LifecycleHandler,
  type Probe,
} from "@dhow/kube";
import { checkHttpHeaderName, checkPortName, checkPortNumber } from "../../validation/names.ts";
import { nonNegative } from "../../validation/metadata.ts";

// validateProbe, validateHandler and validateLifecycle in pkg/apis/core/validation/validation.go

const { duplicate, forbidden, invalid, notSupported, required } = fieldFault;

type Handler = LifecycleHandler & Pick<Probe, "grpc">;

export function* probeFaults(probe: Probe | undefined, kind: string, at: string, grace: number): Generator<FieldFault> {
  if (!probe) return;
  const place = `${at}.${kind}`;
  yield* handlerFaults(probe, place, grace);
  const counts = [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const;
  for (const field of counts) yield* nonNegative(probe[field], `${place}.${field}`);
  const ownGrace = probe.terminationGracePeriodSeconds;
  if (ownGrace !== undefined && ownGrace <= 0) {
    yield invalid(`${place}.terminationGracePeriodSeconds`, ownGrace, "must be greater than 0");
  }
  if (kind === "readinessProbe") {
    if (ownGrace !== undefined) {
      yield invalid(`${place}.terminationGracePeriodSeconds`, ownGrace, "must not be set for readinessProbes");
    }
  } else if (probe.successThreshold !== 1) {
    yield invalid(`${place}.successThreshold`, probe.successThreshold, "must be 1");
  }
}

export function* lifecycleFaults(
  lifecycle: Lifecycle | undefined,
  at: string,
  grace: number,
  operatingSystem: string | undefined,
): Generator<FieldFault> {
  if (lifecycle?.postStart) yield* handlerFaults(lifecycle.postStart, `${at}.postStart`, grace);
  if (lifecycle?.preStop) yield* handlerFaults(lifecycle.preStop, `${at}.preStop`, grace);
  if (lifecycle?.stopSignal && !operatingSystem) {
    yield forbidden(`${at}.stopSignal`, "may not be set for containers with empty `spec.os.name`");
  }
}

/** `grace`: the pod's termination grace period in seconds, which a sleep may not exceed. */
function* handlerFaults(handler: Handler, at: string, grace: number): Generator<FieldFault> {
  const kinds = (["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const).filter((kind) => handler[kind]);
  if (kinds.length === 0) yield required(at, "must specify a handler type");
  for (const kind of kinds.slice(1)) yield forbidden(`${at}.${kind}`, "may not specify more than 1 handler type");
  switch (kinds[0]) {
    case "exec":
      if ((handler.exec?.command ?? []).length === 0) yield required(`${at}.exec.command`);
      break;
    case "httpGet":
      yield* httpGetFaults(handler.httpGet ?? { port: 0 }, `${at}.httpGet`);
      break;
    case "tcpSocket":
      yield* portFaults(handler.tcpSocket?.port, `${at}.tcpSocket.port`);
      break;
    case "grpc":
      yield* portFaults(handler.grpc?.port, `${at}.grpc.port`);
      break;
    case "sleep":
      yield* sleepFaults(handler.sleep?.seconds ?? 0, `${at}.sleep`, grace);
      break;
    default:
  }
}

function* sleepFaults(seconds: number, at: string, grace: number): Generator<FieldFault> {
  if (seconds >= 0 && seconds <= grace) return;
  yield invalid(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`);
}

function* httpGetFaults(action: NonNullable<Handler["httpGet"]>, at: string): Generator<FieldFault> {
  if (!action.path) yield required(`${at}.path`);
  yield* portFaults(action.port, `${at}.port`);
  if (action.scheme !== "HTTP" && action.scheme !== "HTTPS") {
    yield notSupported(`${at}.scheme`, action.scheme, ["HTTP", "HTTPS"]);
  }
  for (const header of action.httpHeaders ?? []) {
    for (const message of checkHttpHeaderName(header.name)) yield invalid(`${at}.httpHeaders`, header.name, message);
  }
}

/** A port by number, or by the name that a container gives it. */
export function* portFaults(port: IntOrString | undefined, at: string): Generator<FieldFault> {
  const messages = typeof port === "string" ? checkPortName(port) : checkPortNumber(port ?? 0);
  for (const message of messages) yield invalid(at, port ?? 0, message);
}

export const portProtocols = ["SCTP", "TCP", "UDP"];

export function* containerPortFaults(ports: readonly ContainerPort[], at: string): Generator<FieldFault> {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const place = `${at}[${index}]`;
    if (port.name) {
      const messages = checkPortName(port.name);
      for (const message of messages) yield invalid(`${place}.name`, port.name, message);
      if (messages.length === 0 && names.has(port.name)) yield duplicate(`${place}.name`, port.name);
      names.add(port.name);
    }
    if (!port.containerPort) yield required(`${place}.containerPort`);
    else {
      for (const message of checkPortNumber(port.containerPort)) {
        yield invalid(`${place}.containerPort`, port.containerPort, message);
      }
    }
    if (port.hostPort) {
      for (const message of checkPortNumber(port.hostPort)) yield invalid(`${place}.hostPort`, port.hostPort, message);
    }
    if (!port.protocol) yield required(`${place}.protocol`);
    else if (!portProtocols.includes(port.protocol)) {
      yield notSupported(`${place}.protocol`, port.protocol, portProtocols);
    }
  }
}
