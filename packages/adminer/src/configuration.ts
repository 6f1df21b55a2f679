import { numberEnvironment, optionalEnvironment, refuseConfiguration, requiredEnvironment } from "@dhow/service";

/** Who may come in: a user of this page's own, or, where there is none, whoever the database lets in. */
export interface PageUser {
  readonly user: string;
  readonly password: string;
}

export interface Configuration {
  /** `postgres://…`; user and password in it are used where there is a page user, and only then. */
  readonly databaseUrl: string;
  readonly pageUser: PageUser | undefined;
  /** Whether the query box may change anything. Browsing never does. */
  readonly writable: boolean;
  readonly statementTimeoutSeconds: number;
  /** The most rows that a query shows. */
  readonly rowCap: number;
}

function databaseUrl(): string {
  const url = optionalEnvironment("DATABASE_URL");
  if (url !== undefined) {
    if (!URL.canParse(url))
      refuseConfiguration("DATABASE_URL is not a URL; give postgres://user:password@host:5432/database");
    return url;
  }
  const host = optionalEnvironment("POSTGRES_HOST") ?? requiredEnvironment("DATABASE_URL");
  const user = optionalEnvironment("POSTGRES_USER") ?? "postgres";
  const built = new URL(`postgres://${host}`);
  built.port = String(numberEnvironment("POSTGRES_PORT", 5432, [1, 65_535]));
  built.username = encodeURIComponent(user);
  built.password = encodeURIComponent(optionalEnvironment("POSTGRES_PASSWORD") ?? "");
  built.pathname = encodeURIComponent(optionalEnvironment("POSTGRES_DB") ?? user);
  return built.href;
}

function pageUser(): PageUser | undefined {
  const user = optionalEnvironment("ADMINER_USER");
  const password = optionalEnvironment("ADMINER_PASSWORD");
  if (user === undefined && password === undefined) return undefined;
  if (password === undefined) refuseConfiguration("ADMINER_USER is set and ADMINER_PASSWORD is not; give both or none");
  return { user: user ?? "admin", password };
}

function writable(): boolean {
  const word = optionalEnvironment("ADMINER_WRITABLE") ?? "false";
  if (word !== "true" && word !== "false")
    refuseConfiguration(`ADMINER_WRITABLE is ${JSON.stringify(word)}; give true or false`);
  return word === "true";
}

/** The page's settings, from the environment. */
export function readConfiguration(): Configuration {
  return {
    databaseUrl: databaseUrl(),
    pageUser: pageUser(),
    writable: writable(),
    statementTimeoutSeconds: numberEnvironment("ADMINER_STATEMENT_TIMEOUT", 15, [1, 3600]),
    rowCap: numberEnvironment("ADMINER_ROW_CAP", 1000, [1, 100_000]),
  };
}
