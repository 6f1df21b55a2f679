// The tables as kysely sees them; migrations/ makes them.
import type { OpeningHours } from "@bookmeup/contract";
import type { ColumnType, Generated, JSONColumnType } from "kysely";

type Timestamp = ColumnType<Date, Date | string, Date | string>;

interface Users {
  id: Generated<string>;
  email: string;
  name: string;
  phone: Generated<string>;
  password_hash: string;
  created_at: Generated<Date>;
}

interface RefreshTokens {
  token_hash: string;
  session_id: string;
  user_id: string;
  created_at: Generated<Date>;
  expires_at: Timestamp;
  used_at: Timestamp | null;
  ended_at: Timestamp | null;
}

interface LoginAttempts {
  subject: string;
  attempts: number;
  until: Timestamp;
}

interface IdempotencyKeys {
  scope: string;
  key: string;
  fingerprint: string;
  answer: JSONColumnType<Record<string, unknown>> | null;
  created_at: Generated<Date>;
}

interface Services {
  id: Generated<string>;
  provider_id: string;
  title: string;
  description: string;
  duration_minutes: number;
  price_amount: number;
  price_currency: string;
  time_zone: string;
  opening_hours: JSONColumnType<OpeningHours[]>;
  withdrawn: Generated<boolean>;
  created_at: Generated<Date>;
}

interface Bookings {
  id: Generated<string>;
  service_id: string;
  customer_id: string;
  starts_at: Timestamp;
  ends_at: Timestamp;
  state: Generated<"booked" | "cancelled">;
  created_at: Generated<Date>;
}

export interface Schema {
  users: Users;
  refresh_tokens: RefreshTokens;
  login_attempts: LoginAttempts;
  idempotency_keys: IdempotencyKeys;
  services: Services;
  bookings: Bookings;
}
