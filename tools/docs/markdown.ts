import { globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** One thing that a page says, and the line it stands in (from 1). */
export interface Said {
  readonly line: number;
  readonly text: string;
}

/** A page of the repository, taken apart: what the checks look at. */
export interface Page {
  /** From the root of the repository. */
  readonly file: string;
  readonly folder: string;
  readonly headings: readonly string[];
  /** What stands between backticks outside of fenced blocks. */
  readonly spans: readonly Said[];
  /** Targets of links and pictures. */
  readonly links: readonly Said[];
  /** Lines of fenced blocks that are meant for a shell, comments left out, with the heading that they stand under. */
  readonly commands: readonly (Said & { readonly under: string })[];
  /** The text of each fenced block, by its language. */
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
  readonly text: string;
}

const shells = new Set(["sh", "bash", "shell"]);

/** Every Markdown file of the repository. */
export function pages(): Page[] {
  const exclude = ["**/node_modules/**", "**/.*/**"];
  return globSync("**/*.md", { exclude }).sort().map(readPage);
}

export function readPage(file: string): Page {
  const text = readFileSync(file, "utf8");
  const headings: string[] = [];
  const spans: Said[] = [];
  const links: Said[] = [];
  const commands: Page["commands"][number][] = [];
  const blocks: { language: string; text: string }[] = [];
  let fence: { language: string; lines: string[] } | undefined;
  for (const [index, row] of text.split("\n").entries()) {
    const line = index + 1;
    const mark = /^\s*```(\w*)/.exec(row);
    if (mark && fence === undefined) fence = { language: mark[1] ?? "", lines: [] };
    else if (mark && fence) {
      blocks.push({ language: fence.language, text: fence.lines.join("\n") });
      fence = undefined;
    } else if (fence) {
      fence.lines.push(row);
      const command = row.replace(/\s+# .*$/, "").trim();
      if (shells.has(fence.language) && command !== "" && !command.startsWith("#")) {
        commands.push({ line, text: command, under: headings.at(-1) ?? "" });
      }
    } else {
      const heading = /^#+ (.*)$/.exec(row)?.[1];
      if (heading !== undefined) headings.push(heading);
      for (const [, span = ""] of row.matchAll(/`([^`]+)`/g)) spans.push({ line, text: span });
      for (const [, target = ""] of row.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)) {
        links.push({ line, text: target });
      }
    }
  }
  return { file, folder: dirname(file), headings, spans, links, commands, blocks, text };
}

/** The anchor that a heading gets on a page (GitHub's rule). */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}
