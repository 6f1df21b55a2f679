import type { Pool, PoolClient, PoolConfig } from "pg";
import { isWrongPassword } from "./database-errors.ts";

/** The passwords that the database role may have: one, or two while it is being changed. Whichever was taken last is given first. */
export class Passwords {
  readonly #all: readonly string[];
  #turn = 0;

  constructor(all: readonly string[]) {
    this.#all = all;
  }

  get current(): string {
    return this.#all[this.#turn % this.#all.length] ?? "";
  }

  /** Says whether there is another password to try than `tried`, which was refused. */
  another(tried: string): boolean {
    // Whoever found out first has turned already.
    if (this.current === tried) this.#turn += 1;
    return this.current !== tried;
  }
}

/** The same settings with another password in their URL. */
export function withPassword<Settings extends PoolConfig>(settings: Settings, password: string): Settings {
  const url = new URL(settings.connectionString ?? "");
  url.password = encodeURIComponent(password);
  return { ...settings, connectionString: url.href };
}

/** Connections of a pool whose role may be getting another password at this moment. */
export class Connections {
  readonly #pool: Pool;
  readonly #passwords: Passwords;

  constructor(pool: Pool, passwords: Passwords) {
    this.#pool = pool;
    this.#passwords = passwords;
  }

  async connect(): Promise<PoolClient> {
    const tried = this.#passwords.current;
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (!isWrongPassword(error) || !this.#passwords.another(tried)) throw error;
      return this.#pool.connect();
    }
  }

  get options(): object {
    return this.#pool.options;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}
