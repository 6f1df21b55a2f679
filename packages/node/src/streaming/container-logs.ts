import type { IncomingMessage, ServerResponse } from "node:http";
import { existsSync } from "node:fs";
import type { Kubelet } from "../kubelet/kubelet.ts";
import { type LogOptions, readLog } from "../kubelet/logs/log-reader.ts";
import type { PodWorker } from "../kubelet/pod-worker.ts";
import { findPod, flag, RequestError } from "./targets.ts";

/** GET /containerLogs/{namespace}/{pod}/{container} (getContainerLogs in pkg/kubelet/server/server.go). */
export async function containerLogs(
  kubelets: readonly Kubelet[],
  parts: readonly string[],
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [namespace = "", pod = "", container = ""] = parts;
  const worker = findPod(kubelets, namespace, pod);
  const attempt = attemptOf(worker, container, flag(url, "previous"));
  const path = worker.logPath(container, attempt);
  if (!existsSync(path)) throw new RequestError(500, `unable to retrieve container logs for ${container}`);
  const end = new AbortController();
  response.once("close", () => end.abort());
  const running = worker.container(container);
  const writer = running?.instance.attempt === attempt ? running.log : undefined;
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  for await (const piece of readLog(path, { ...options(url), signal: end.signal }, writer)) {
    if (end.signal.aborted) break;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
  void request;
}

/** Whose log is asked for. What was never started has none, and the message says why (validateContainerLogStatus in pkg/kubelet/kubelet_pods.go). */
function attemptOf(worker: PodWorker, container: string, previous: boolean): number {
  const { spec, metadata } = worker.pod;
  const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  if (!all.some(({ name }) => name === container)) {
    throw new RequestError(400, `container ${container} is not valid for pod ${metadata.name}`);
  }
  const runs = worker.record.containers[container] ?? [];
  if (previous) {
    // The last run that has ended is the previous one while another is under way or awaited.
    const found =
      runs[0]?.state === "exited" && worker.record.finished !== true && runs[1] === undefined ? runs[0] : runs[1];
    if (found) return found.attempt;
    throw new RequestError(400, `previous terminated container "${container}" in pod "${metadata.name}" not found`);
  }
  if (runs[0]) return runs[0].attempt;
  const status = [...(worker.status?.containerStatuses ?? []), ...(worker.status?.initContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  );
  const reason = status?.state?.waiting?.reason ?? "ContainerCreating";
  const why: Readonly<Record<string, string>> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: "trying and failing to pull image",
  };
  throw new RequestError(
    400,
    `container "${container}" in pod "${metadata.name}" is waiting to start: ${why[reason] ?? reason}`,
  );
}

function options(url: URL): LogOptions {
  const number = (name: string) => {
    const value = url.searchParams.get(name);
    return value === null || value === "" ? undefined : Number(value);
  };
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = url.searchParams.get("sinceTime");
  const since =
    sinceSeconds === undefined ? (sinceTime ? Date.parse(sinceTime) : undefined) : Date.now() - sinceSeconds * 1000;
  const tailLines = number("tailLines") ?? (url.searchParams.get("tail") === "all" ? undefined : number("tail"));
  const limitBytes = number("limitBytes");
  return {
    follow: flag(url, "follow"),
    timestamps: flag(url, "timestamps"),
    stream: (url.searchParams.get("stream") ?? "All") as "All" | "Stdout" | "Stderr",
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(since === undefined ? {} : { since }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}
