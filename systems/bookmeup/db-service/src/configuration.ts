import { numberEnvironment, optionalEnvironment, refuseConfiguration, requiredEnvironment } from "@dhow/service";
import type { PoolConfig } from "pg";

function databaseUrl(): string {
  const url = optionalEnvironment("DATABASE_URL");
  if (url !== undefined) {
    if (!URL.canParse(url))
      refuseConfiguration("DATABASE_URL is not a URL; give postgres://user:password@host:5432/database");
    return url;
  }
  const host = optionalEnvironment("POSTGRES_HOST") ?? requiredEnvironment("DATABASE_URL");
  const port = numberEnvironment("POSTGRES_PORT", 5432, [1, 65_535]);
  const user = requiredEnvironment("POSTGRES_USER");
  const password = requiredEnvironment("POSTGRES_PASSWORD");
  const database = optionalEnvironment("POSTGRES_DB") ?? user;
  return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`;
}

function allowedVersions(): ReadonlySet<number> {
  const words = (optionalEnvironment("ALLOW_DESTRUCTIVE_MIGRATIONS") ?? "")
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d+$/.test(word));
  if (wrong !== undefined)
    refuseConfiguration(`ALLOW_DESTRUCTIVE_MIGRATIONS has ${JSON.stringify(wrong)}; give versions, such as 4 or 4,7`);
  return new Set(words.map(Number));
}

/** The settings of db-service, read once at the start. */
export function readConfiguration() {
  const url = new URL(databaseUrl());
  const other = optionalEnvironment("DATABASE_OTHER_PASSWORD");
  // The password of the URL is the one that is to hold; the other one does still, or does no longer.
  const passwords = [decodeURIComponent(url.password), ...(other === undefined ? [] : [other])];
  const pool: PoolConfig = {
    connectionString: url.href,
    max: numberEnvironment("DATABASE_POOL_SIZE", 10, [1, 100]),
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: "db-service",
    statement_timeout: 5_000,
    idle_in_transaction_session_timeout: 10_000,
  };
  return { pool, passwords, allowDestructive: allowedVersions() };
}
