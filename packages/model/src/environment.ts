/**
 * What a description is built for. Environments are arguments: what differs between them is ordinary TypeScript. An environment is a
 * namespace, a target and a host.
 */
export interface Environment {
  readonly name: string;
  readonly development: boolean;
  readonly production: boolean;
  readonly namespace: string;
  /** The host name of the entry point; without one, any host is answered. */
  readonly host: string | undefined;
  /** The tag of images that are built from source, such as `1.4.0`. */
  readonly version: string;
  /** Where images are pulled from, such as `registry.example.com/shop`; without one, the references carry none. */
  readonly registry: string | undefined;
  /** The StorageClass of volumes; without one, the cluster's default. */
  readonly storageClass: string | undefined;
}

/** What a system says of one of its environments; everything has a default. */
export interface EnvironmentOptions {
  readonly namespace?: string;
  readonly host?: string;
  readonly registry?: string;
  readonly storageClass?: string;
}

const suffixes: Readonly<Record<string, string>> = { development: "", production: "-prod" };

/** The environment `name` of the system `system`: namespace `shop` in development, `shop-prod` in production, `shop-<name>` elsewhere. */
export function environmentOf(
  system: string,
  name: string,
  version: string,
  options: EnvironmentOptions = {},
): Environment {
  return Object.freeze({
    name,
    development: name === "development" || name === "dev",
    production: name === "production",
    namespace: options.namespace ?? `${system}${suffixes[name] ?? `-${name}`}`,
    host: options.host,
    version,
    registry: options.registry,
    storageClass: options.storageClass,
  });
}
