import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { anchorOf, type Page, readPage } from "./markdown.ts";

/** Folders at the root whose names make a text in backticks a path. */
const roots = new Set(["packages", "systems", "conformance", "bench", "tools", "docs", ".ci"]);
const extensions = /\.(?:ts|js|mjs|json|svg|txt|md|sh|css|html)$/;

/** Files of whoever uses Dhow, which a page may speak of although this repository has them elsewhere, if at all. */
const ofUsers = new Set(["system.ts", "package.json", "src/main.ts", "main.ts", "app.py"]);

/** What is made at run time: folders of a cluster and of an agent, files in them. */
const made = [/^\.dhow\//, /^nodes\/<node>\//, /^volumes\/$/, /^running\.json$/, /^images\.json$/];

/** Whether a text in backticks names a file or a folder of this repository. */
export function isPath(text: string): boolean {
  if (ofUsers.has(text) || !/^[\w.@*{},<>-]+(?:\/[\w.@*{},<>-]+)*\/?$/.test(text)) return false;
  const first = text.split("/")[0] ?? "";
  return extensions.test(text) || text.endsWith("/") || (text.includes("/") && roots.has(first));
}

/** What a path on a page stands for, from the root: seen from there, from the page, from its `src`, or beside what the same line names before. */
export function resolvePath(page: Pick<Page, "folder">, text: string, before: readonly string[] = []): string[] {
  // `<kind>.ts` stands for any; braces and stars are those of a shell.
  const pattern = text.replaceAll(/<[^>]+>/g, "*").replace(/\/$/, "");
  for (const base of [".", page.folder, join(page.folder, "src"), ...before.toReversed()]) {
    const found = globSync(join(base, pattern));
    if (found.length > 0) return found;
  }
  return [];
}

/** `loadSystem()`, `Host.start()`, `ClusterAgent.#openNetwork()`: the last name. */
const aCall = /^(?:\w+\.)?(#?[A-Za-z_$][\w$]*)\(/;

/** The name of the function that a text in backticks speaks of: `name()` or `name(argument)`, and nothing around it. */
export function calledName(text: string): string | undefined {
  return /^(?:\w+\.)?#?[\w$]+\([^()]*\)$/.test(text) ? aCall.exec(text)?.[1] : undefined;
}

/** Whether a source text defines a function, method, class or constant of that name. */
export function defines(source: string, name: string): boolean {
  const word = name.replaceAll(/[#$]/g, "\\$&");
  return new RegExp(
    `(?:function\\*?|class|const|let)\\s+${word}\\b|^\\s+(?:(?:readonly|async|static|get|protected)\\s+)*${word}\\??(?:<[^>]*>)?\\s*[(:=]|^\\s+${word},$`,
    "m",
  ).test(source);
}

let everything: string | undefined;

function allSources(): string {
  everything ??= globSync("{packages,systems,conformance,bench,tools}/**/*.{ts,js,mjs}", {
    exclude: ["**/node_modules/**"],
  })
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  return everything;
}

/** One sentence for each file that is not there, and for each function that is in none of the files that the same line names. */
export function brokenReferences(page: Page): string[] {
  const lines = Map.groupBy(page.spans, ({ line }) => line);
  return [...lines].flatMap(([line, spans]) => {
    const texts = spans.map(({ text }) => text);
    return brokenOnLine(page, texts).map((fault) => `${page.file}:${line}: ${fault}`);
  });
}

function brokenOnLine(page: Page, texts: readonly string[]): string[] {
  const faults: string[] = [];
  const folders: string[] = [];
  const files: string[] = [];
  for (const text of texts.filter(isPath)) {
    const found = resolvePath(page, text, folders);
    if (found.length === 0 && !made.some((pattern) => pattern.test(text))) faults.push(`there is no ${text}`);
    for (const file of found) folders.push(text.endsWith("/") ? file : dirname(file));
    if (/\.[jt]s$/.test(text)) files.push(...found);
  }
  const source = files.length === 0 ? allSources() : files.map((file) => readFileSync(file, "utf8")).join("\n");
  for (const name of texts.map(calledName).filter((each) => each !== undefined)) {
    if (!defines(source, name)) faults.push(`${name} is not defined in ${files.join(", ") || "any file"}`);
  }
  return faults;
}

/** One sentence for each link to a file or a heading that is not there. Links to other sites are left alone. */
export function brokenLinks(page: Page): string[] {
  return page.links.flatMap(({ line, text }) => {
    if (/^[a-z]+:/.test(text)) return [];
    const [path = "", anchor] = text.split("#");
    const file = path === "" ? page.file : join(dirname(page.file), path);
    if (!existsSync(file)) return [`${page.file}:${line}: there is no ${text}`];
    if (anchor === undefined || !file.endsWith(".md")) return [];
    return readPage(file).headings.map(anchorOf).includes(anchor)
      ? []
      : [`${page.file}:${line}: ${file} has no heading #${anchor}`];
  });
}
