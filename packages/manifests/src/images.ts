import type { Environment, Service, System } from "@dhow/model";

/** Adminer's own image: its version is that of the package. */
export const adminerImage = "dhow/adminer:0.1.0";

/** An image that is built from a folder. */
export interface SourceImage {
  readonly reference: string;
  /** As written in the description: relative to the folder of system.ts. */
  readonly source: string;
  readonly run: string | undefined;
  readonly service: Service;
}

/** `registry/system/service:version`; somebody else's image stays as it is. */
export function imageOf(service: Service, system: string, environment: Environment): string {
  if (service.options.image) return service.options.image;
  const prefix = environment.registry === undefined ? "" : `${environment.registry}/`;
  return `${prefix}${system}/${service.name}:${environment.version}`;
}

/** The images of a system that are to be built, or run from their folders. */
export function sourceImages(system: System): SourceImage[] {
  return system.values.flatMap((value) => {
    if (value.kind !== "service" || value.options.source === undefined) return [];
    const reference = imageOf(value, system.name, system.environment);
    return [{ reference, source: value.options.source, run: value.options.run, service: value }];
  });
}
