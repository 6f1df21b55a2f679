/** One step of the schema. Applied ones are never edited: their text is compared at each start. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** It loses data that is there: refused until ALLOW_DESTRUCTIVE_MIGRATIONS names its version. */
  readonly destructive?: true;
}

const losesData =
  /\b(?:drop\s+(?:table|column|schema|database|owned|materialized)|truncate|delete\s+from|alter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type)\b|\balter\s+table\b[^;]*\bdrop\s+(?!constraint|not\b|default|identity|expression)/i;

/** What is wrong with a list of migrations before any is run, or undefined. */
export function faultOf(migrations: readonly Migration[]): string | undefined {
  for (const [index, { version, name, sql, destructive }] of migrations.entries()) {
    if (version !== index + 1) return `migration "${name}" has version ${version} where ${index + 1} is next`;
    const loss = losesData.exec(sql.replaceAll(/--.*$/gm, ""));
    if (loss && !destructive)
      return `migration ${version} (${name}) can lose data ("${loss[0].replaceAll(/\s+/g, " ").trim()}") and does not declare destructive: true`;
  }
  return undefined;
}
