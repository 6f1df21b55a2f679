import type { Migration } from "./migration.ts";

export const services: Migration = {
  version: 2,
  name: "services",
  sql: `
    create table services (
      id uuid primary key default gen_random_uuid(),
      provider_id uuid not null references users,
      title text not null,
      description text not null,
      duration_minutes integer not null check (duration_minutes > 0),
      price_amount integer not null check (price_amount >= 0),
      price_currency text not null,
      time_zone text not null,
      opening_hours jsonb not null,
      withdrawn boolean not null default false,
      created_at timestamptz(3) not null default now()
    );
    create index services_newest on services (created_at desc, id) where not withdrawn;
    create index services_provider on services (provider_id);
  `,
};
