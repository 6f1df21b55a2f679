import type { KubeObject, PersistentVolumeClaim } from "@dhow/kube";
import type { Postgres } from "@dhow/model";
import { type Context, portOf } from "./context.ts";
import { databaseName, fromSecret } from "./environment-variables.ts";
import { metadata } from "./metadata.ts";
import { livenessProbe, readinessProbe } from "./probes.ts";
import { workloadObjects, type WorkloadShape } from "./workload.ts";

/** A database on one volume: what every workload becomes, and the claim. */
export function compilePostgres(database: Postgres, context: Context): KubeObject[] {
  return [claim(database, context), ...workloadObjects(context, database, postgresShape(database, context))];
}

export function postgresShape(database: Postgres, context: Context): WorkloadShape {
  const { options } = database;
  const question = { tcpSocket: { port: "main" } };
  return {
    image: `postgres:${options.version ?? "18.4"}`,
    port: portOf(database),
    env: [
      fromSecret("POSTGRES_USER", options.user),
      fromSecret("POSTGRES_PASSWORD", options.password),
      { name: "POSTGRES_DB", value: databaseName(context, database) },
      // Said although it is the image's default from 18 on, so that the volume's layout does not change with the image.
      { name: "PGDATA", value: "/var/lib/postgresql/18/docker" },
    ],
    resources: options.resources,
    liveness: livenessProbe(context, question, undefined),
    // Whoever calls it waits while it is away, so its return is noticed at once, in every environment.
    readiness: readinessProbe(context, question, { initialDelay: 0, period: 1 }),
    // The user "postgres" of the official image.
    user: 999,
    writable: ["/var/run/postgresql"],
    claims: { "/var/lib/postgresql": `${database.name}-pvc` },
    graceSeconds: 60,
    replicas: 1,
    nodePort: undefined,
    // Two servers on one data folder destroy it.
    strategy: "Recreate",
    alone: true,
    internet: false,
  };
}

function claim(database: Postgres, context: Context): PersistentVolumeClaim {
  const storageClassName = context.environment.storageClass;
  const meta = metadata(context, database.name, `${database.name}-pvc`);
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    // The embedded cluster's provisioner gives the volume this name while it is free; others name it themselves.
    metadata: { ...meta, annotations: { "dhow.dev/volume-name": `${database.name}-pv` } },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(storageClassName !== undefined && { storageClassName }),
      resources: { requests: { storage: database.options.storage } },
    },
  };
}
