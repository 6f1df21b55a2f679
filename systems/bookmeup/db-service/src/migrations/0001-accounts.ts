import type { Migration } from "./migration.ts";

export const accounts: Migration = {
  version: 1,
  name: "accounts",
  sql: `
    create table users (
      id uuid primary key default gen_random_uuid(),
      email text not null constraint users_email_key unique check (email = lower(email)),
      name text not null,
      phone text not null default '',
      password_hash text not null,
      created_at timestamptz(3) not null default now()
    );

    -- A session is the chain of refresh tokens that follow each other; used ones stay until they expire, to be recognised when they come again.
    create table refresh_tokens (
      token_hash text primary key,
      session_id uuid not null,
      user_id uuid not null references users on delete cascade,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null,
      used_at timestamptz(3),
      ended_at timestamptz(3)
    );
    create index refresh_tokens_session on refresh_tokens (session_id);
    create index refresh_tokens_user on refresh_tokens (user_id);
    create index refresh_tokens_expiry on refresh_tokens (expires_at);

    create table login_attempts (
      subject text primary key,
      attempts integer not null,
      until timestamptz(3) not null
    );

    create table idempotency_keys (
      scope text not null,
      key text not null,
      fingerprint text not null,
      answer jsonb,
      created_at timestamptz(3) not null default now(),
      primary key (scope, key)
    );
    create index idempotency_keys_age on idempotency_keys (created_at);
  `,
};
