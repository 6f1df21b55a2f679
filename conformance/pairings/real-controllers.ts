import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cluster } from "@dhow/cluster";
import { kubernetesProgram } from "./real-control-plane.ts";

const run = promisify(execFile);

/** Kubernetes' own controller manager and scheduler, at work on a cluster of Dhow's. */
export interface RealControllers extends AsyncDisposable {
  /** What one of them said: `kube-controller-manager` or `kube-scheduler`. */
  log(program: string): string;
}

/** Times that are shorter than Kubernetes' own, so that a test need not wait for them. */
const hurry = [
  "--node-monitor-period=1s",
  "--node-monitor-grace-period=15s",
  "--horizontal-pod-autoscaler-sync-period=2s",
  "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
  "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
];

/** Starts both as the users that Kubernetes knows them by, with certificates of the cluster's authority. `folder` keeps their keys and logs. */
export async function startRealControllers(
  { folder: { pki }, server }: Cluster,
  folder: string,
): Promise<RealControllers> {
  mkdirSync(folder, { recursive: true });
  const program = await kubernetesProgram();
  const started: ChildProcess[] = [];
  const logOf = (name: string) => join(folder, `${name}.log`);
  const start = async (name: string, ...words: string[]) => {
    const kubeconfig = await writeKubeconfig({ folder, pki, server, name });
    const access = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];
    const flags = [...access.map((flag) => `--${flag}=${kubeconfig}`), "--secure-port=0", ...patientLease, ...words];
    const log = openSync(logOf(name), "w", 0o600);
    started.push(spawn(program, [name, ...flags], { stdio: ["ignore", log, log] }));
  };
  await start(
    "kube-controller-manager",
    ...hurry,
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${join(pki, "service-account.key")}`,
    `--root-ca-file=${join(pki, "ca.crt")}`,
    `--cluster-signing-cert-file=${join(pki, "ca.crt")}`,
    `--cluster-signing-key-file=${join(pki, "ca.key")}`,
    "--allocate-node-cidrs=true",
    "--cluster-cidr=10.244.0.0/16",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--enable-hostpath-provisioner=true",
  );
  await start("kube-scheduler");
  return {
    log: (name) => readFileSync(logOf(name), "utf8"),
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map(end));
    },
  };
}

/** They lead by a lease as they do anywhere; that a busy machine renews it late is not what is looked at. */
const patientLease = ["--leader-elect=true", "--leader-elect-lease-duration=90s", "--leader-elect-renew-deadline=80s"];

async function writeKubeconfig(asked: { folder: string; pki: string; server: string; name: string }): Promise<string> {
  const { folder, pki, server, name } = asked;
  const path = (file: string) => join(folder, file);
  const [key, request, certificate] = [`${name}.key`, `${name}.csr`, `${name}.crt`].map(path) as [
    string,
    string,
    string,
  ];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", ...curve, "-keyout", key, "-out", request, "-subj", `/CN=system:${name}`]);
  const authority = [
    "-CA",
    join(pki, "ca.crt"),
    "-CAkey",
    join(pki, "ca.key"),
    "-CAserial",
    path(`${name}.srl`),
    "-CAcreateserial",
  ];
  await run("openssl", ["x509", "-req", "-in", request, ...authority, "-days", "1", "-out", certificate]);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, "certificate-authority": join(pki, "ca.crt") } }],
    users: [{ name, user: { "client-certificate": certificate, "client-key": key } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  writeFileSync(path(`${name}.kubeconfig`), JSON.stringify(config), { mode: 0o600 });
  return path(`${name}.kubeconfig`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await ended;
}
