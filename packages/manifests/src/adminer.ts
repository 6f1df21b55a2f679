import type { KubeObject } from "@dhow/kube";
import type { Adminer } from "@dhow/model";
import { type Context, portOf } from "./context.ts";
import { environmentVariables } from "./environment-variables.ts";
import { adminerImage } from "./images.ts";
import { livenessProbe, readinessProbe } from "./probes.ts";
import { secretObject } from "./secret.ts";
import { workloadObjects, type WorkloadShape } from "./workload.ts";

/** The operators' database page: what every workload becomes, and a Secret with its generated password. */
export function compileAdminer(adminer: Adminer, context: Context): KubeObject[] {
  const password = secretObject(context, adminer.name, { ADMINER_PASSWORD: { kind: "generated", length: 24 } });
  return [password, ...workloadObjects(context, adminer, adminerShape(adminer, context))];
}

export function adminerShape(adminer: Adminer, context: Context): WorkloadShape {
  const { options } = adminer;
  const question = { httpGet: { path: "/health", port: "main" } };
  return {
    image: adminerImage,
    port: portOf(adminer),
    env: [
      { name: "PORT", value: String(portOf(adminer)) },
      { name: "ADMINER_USER", value: "admin" },
      { name: "ADMINER_PASSWORD", valueFrom: { secretKeyRef: { name: adminer.name, key: "ADMINER_PASSWORD" } } },
      { name: "ADMINER_WRITABLE", value: String(options.writable ?? false) },
      ...environmentVariables(context, { DATABASE_URL: options.database.url }),
    ],
    resources: undefined,
    liveness: livenessProbe(context, question, undefined),
    readiness: readinessProbe(context, question, undefined),
    user: 1000,
    writable: [],
    claims: {},
    graceSeconds: 30,
    replicas: 1,
    nodePort: options.nodePort,
    signIn: `user admin, password: dhow secret ${adminer.name} ADMINER_PASSWORD`,
    strategy: "RollingUpdate",
    alone: false,
    internet: false,
  };
}
