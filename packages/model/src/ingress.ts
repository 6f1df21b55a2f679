import { checkFields, checkName, invalid, type Subject } from "./check.ts";
import { callingPlace } from "./place.ts";
import type { Service } from "./service.ts";
import type { Adjust, Named } from "./value.ts";

export interface IngressOptions {
  /** Answers for this host name only; for every one unless said. */
  readonly host?: string | undefined;
  /** From path to service: "/auth" takes /auth and all below it. The path is passed on as it came. */
  readonly routes: Readonly<Record<string, Service>>;
  /** HTTPS with the certificate in this Secret; `issuer` is a ClusterIssuer of cert-manager that keeps it renewed. */
  readonly tls?: { readonly secret: string; readonly issuer?: string } | undefined;
  readonly adjust?: Adjust;
}

export interface Ingress extends Named {
  readonly kind: "ingress";
  readonly options: IngressOptions;
}

/** The entry point: which service answers which path. */
export function ingress(name: string, options: IngressOptions): Ingress {
  const subject: Subject = { what: `ingress(${JSON.stringify(name)})`, place: callingPlace() };
  checkName(subject, name);
  checkFields(subject, options, ["host", "routes", "tls", "adjust"], ["routes"]);
  const host = options.host;
  if (host !== undefined && !/^(\*\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(host)) {
    throw invalid(subject, "host", host, 'a host name such as "shop.example.com", without scheme, port and path');
  }
  if (options.tls !== undefined) {
    checkFields({ ...subject, what: `${subject.what}, tls` }, options.tls, ["secret", "issuer"], ["secret"]);
    checkName(subject, options.tls.secret);
  }
  for (const [path, target] of Object.entries(options.routes)) {
    if (!path.startsWith("/"))
      throw invalid(subject, `routes["${path}"]`, path, `a path that begins with "/": "/${path}"`);
    if ((target as Service | undefined)?.kind === "service") continue;
    throw invalid(subject, `routes["${path}"]`, target === undefined ? "undefined" : target, "a service(…)");
  }
  return Object.freeze({
    kind: "ingress",
    name,
    place: subject.place,
    options: Object.freeze({ ...options, routes: Object.freeze({ ...options.routes }) }),
  });
}
