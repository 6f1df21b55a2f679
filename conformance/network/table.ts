import { programs } from "./programs/all.ts";
import { type Outcome, properties, type User, users } from "./properties.ts";

export type Outcomes = ReadonlyMap<User, readonly Outcome[]>;

const introduction = `# What a pod is promised, and what ran

Written by \`network.test.ts\` (\`UPDATE_GOLDEN=1\` writes it anew), which fails where a run differs from it. A column that a machine cannot try (not root, no
namespaces, a program that is not installed) is taken from here as it stands.

- **root**, **ordinary user**: the sandbox with namespaces, in a world of its own.
- **without namespaces**: the fallback, pods as plain processes of an ordinary user, with the limits that it states.
`;

/** One table a user, programs across, properties down. Fields that were not tried come from `committed`. */
export function formatTable(outcomes: Outcomes, committed: string): string {
  const known = parseTable(committed);
  const notes: string[] = [];
  const sections = users.map((user) => {
    const own = outcomes.get(user) ?? [];
    const lines = properties.map((property) => {
      const cells = programs.map(({ name }) => {
        const outcome = own.find((each) => each.program === name && each.property === property);
        if (outcome === undefined || outcome.verdict === "skipped")
          return known.get(`${user}|${property}|${name}`) ?? "not tried";
        return outcome.verdict;
      });
      return `| ${[property, ...cells].join(" | ")} |`;
    });
    notes.push(
      ...own.filter(({ verdict }) => verdict === "not kept").map(({ property, detail }) => `- ${property}: ${detail}`),
    );
    const head = ["", ...programs.map(({ name }) => name)];
    return [`## ${user}`, "", `| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines, ""].join("\n");
  });
  const limits = outcomes.has("without namespaces")
    ? [...new Set(notes)].join("\n")
    : (committed.split(limitsTitle)[1] ?? "").trim();
  return `${introduction}\n${sections.join("\n")}\n${limitsTitle}\n${limits}\n`;
}

const limitsTitle = "## The fallback's limits\n";

function parseTable(text: string): ReadonlyMap<string, string> {
  const cells = new Map<string, string>();
  let user = "";
  for (const line of text.split("\n")) {
    user = /^## (.*)$/.exec(line)?.[1] ?? user;
    const [property = "", ...verdicts] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    for (const [index, { name }] of programs.entries()) cells.set(`${user}|${property}|${name}`, verdicts[index] ?? "");
  }
  return cells;
}
