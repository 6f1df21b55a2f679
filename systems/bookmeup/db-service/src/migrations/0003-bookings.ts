import type { Migration } from "./migration.ts";

export const bookings: Migration = {
  version: 3,
  name: "bookings",
  sql: `
    -- For equality of an id and overlap of times in one index.
    create extension if not exists btree_gist;

    create table bookings (
      id uuid primary key default gen_random_uuid(),
      service_id uuid not null references services,
      customer_id uuid not null references users,
      starts_at timestamptz(3) not null,
      ends_at timestamptz(3) not null,
      state text not null default 'booked' check (state in ('booked', 'cancelled')),
      created_at timestamptz(3) not null default now(),
      check (starts_at < ends_at),
      -- No slot is sold twice, whatever any program does.
      constraint bookings_never_overlap
        exclude using gist (service_id with =, tstzrange(starts_at, ends_at) with &&) where (state = 'booked')
    );
    create index bookings_customer on bookings (customer_id, starts_at);
    create index bookings_service on bookings (service_id, starts_at);
  `,
};
