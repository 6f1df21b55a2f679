import { type FieldFault, fieldFault, type Secret } from "@dhow/kube";
import type { Strategy } from "../strategy.ts";
import { immutable, sorted } from "../validation/metadata.ts";
import { checkConfigKey } from "../validation/names.ts";
import { immutableFaults, largestData } from "./config-maps.ts";

// ValidateSecret in pkg/apis/core/validation/validation.go; stringData in pkg/apis/core/v1/conversion.go

const { invalid, required, tooLong } = fieldFault;

const accountAnnotation = "kubernetes.io/service-account.name";

/** What a type of Secret must hold. */
const demandedKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

export const secrets: Strategy = {
  applyDefaults(object) {
    const secret = object as Secret;
    secret.type ||= "Opaque";
    if (!secret.stringData) return;
    secret.data ??= {};
    for (const [key, value] of Object.entries(secret.stringData)) {
      secret.data[key] = Buffer.from(value).toString("base64");
    }
    delete secret.stringData;
  },
  prepareForUpdate(object, old) {
    (object as Secret).type ||= (old as Secret).type ?? "Opaque";
  },
  validate: (object) => [...secretFaults(object as Secret)],
  validateUpdate: (object, old) => [
    ...immutable((object as Secret).type, (old as Secret).type, "type"),
    ...immutableFaults(object as Secret, old as Secret),
  ],
};

function* secretFaults({ data = {}, metadata, type = "" }: Secret): Generator<FieldFault> {
  let size = 0;
  for (const [key, value] of sorted(data)) {
    for (const message of checkConfigKey(key)) yield invalid(`data[${key}]`, key, message);
    size += Buffer.byteLength(value, "base64");
  }
  if (size > largestData) yield tooLong("data", largestData);
  if (type === "kubernetes.io/service-account-token" && !metadata.annotations?.[accountAnnotation]) {
    yield required(`metadata.annotations[${accountAnnotation}]`);
  }
  if (type === "kubernetes.io/basic-auth" && !Object.hasOwn(data, "username") && !Object.hasOwn(data, "password")) {
    yield required("data[username]");
    yield required("data[password]");
  }
  for (const key of demandedKeys[type] ?? []) {
    const value = data[key];
    if (value === undefined) yield required(`data[${key}]`);
    else if (key.startsWith(".docker") && !isJsonObject(value)) {
      const [first] = Buffer.from(value, "base64").toString();
      const message = first
        ? `invalid character '${first}' looking for beginning of value`
        : "unexpected end of JSON input";
      yield invalid(`data[${key}]`, "<secret contents redacted>", message);
    }
  }
}

function isJsonObject(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, "base64").toString());
    return typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}
