import { bodies } from "./bodies.ts";
import { credentials } from "./credentials.ts";
import { order } from "./order.ts";
import { patches } from "./patches.ts";
import { paths } from "./paths.ts";
import type { HostileRequest } from "./request.ts";

/** A conversation in the namespace `hostile`, in which nothing but these requests happens. */
export const requests: readonly HostileRequest[] = [...patches, ...bodies, ...paths, ...order, ...credentials];
