import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { golden } from "@dhow/testkit";
import { programs } from "./programs/all.ts";
import { type Outcome, properties, type User, users } from "./properties.ts";
import { formatTable } from "./table.ts";
import { impossible, tryColumn } from "./trial.ts";

const table = join(import.meta.dirname, "README.md");
const columns = new Map<User, readonly Outcome[]>();

for (const user of users) {
  test(
    `pods: ${user}`,
    { skip: process.platform === "linux" ? (impossible(user) ?? false) : "not Linux" },
    async (context) => {
      const result = await tryColumn(user);
      if ("impossible" in result) {
        context.skip(result.impossible);
        return;
      }
      columns.set(user, result.outcomes);
      const slowest = Math.max(...result.starts);
      context.diagnostic(`${result.starts.length} pods started, the slowest in ${slowest.toFixed(0)} ms`);
      for (const { name } of programs) {
        for (const property of properties) {
          const outcome = result.outcomes.find((each) => each.program === name && each.property === property);
          const skip =
            outcome?.verdict === "skipped" ? outcome.detail : outcome === undefined ? "the program is missing" : false;
          await context.test(`${name}: ${property}`, { skip }, () => {
            assert.notEqual(outcome?.verdict, "broken", outcome?.detail);
          });
        }
      }
    },
  );
}

after(() => {
  if (columns.size > 0) golden(table, formatTable(columns, readCommitted()));
});

function readCommitted(): string {
  try {
    return readFileSync(table, "utf8");
  } catch {
    return "";
  }
}
