import type { EnvVar } from "@dhow/kube";
import type { Address, EnvironmentValue, Postgres, SecretKey } from "@dhow/model";
import { type Context, portOf } from "./context.ts";

/** The container's `env`, in an order in which $(NAME) refers to what stands before it. */
export function environmentVariables(context: Context, env: Readonly<Record<string, EnvironmentValue>>): EnvVar[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (typeof value !== "object") return [{ name, value: String(value) }];
    if (value.kind === "secret-key") return [fromSecret(name, value)];
    return fromAddress(context, name, value);
  });
}

export function fromSecret(name: string, entry: SecretKey): EnvVar {
  const described = entry.secret.entries[entry.key];
  const optional = typeof described === "object" && described.kind === "optional";
  return {
    name,
    valueFrom: { secretKeyRef: { name: entry.secret.name, key: entry.key, ...(optional && { optional }) } },
  };
}

export function databaseName(context: Context, database: Postgres): string {
  return database.options.database ?? context.system.name.replaceAll("-", "_");
}

function fromAddress(context: Context, name: string, address: Address): EnvVar[] {
  const target = context.target(address);
  if (address.part === "host") return [{ name, value: target.name }];
  if (target.kind === "postgres") return databaseUrl(context, name, target);
  return [{ name, value: `http://${target.name}:${portOf(target)}` }];
}

/** User and password come from the Secret by reference, so that no object holds them; Kubernetes puts them into the URL. */
function databaseUrl(context: Context, name: string, database: Postgres): EnvVar[] {
  const location = `${database.name}:${portOf(database)}/${databaseName(context, database)}`;
  return [
    fromSecret(`${name}_USER`, database.options.user),
    fromSecret(`${name}_PASSWORD`, database.options.password),
    { name, value: `postgres://$(${name}_USER):$(${name}_PASSWORD)@${location}` },
  ];
}
