import { accounts } from "./0001-accounts.ts";
import { services } from "./0002-services.ts";
import { bookings } from "./0003-bookings.ts";
import type { Migration } from "./migration.ts";

/** In the order in which they are applied. */
export const migrations: readonly Migration[] = [accounts, services, bookings];
