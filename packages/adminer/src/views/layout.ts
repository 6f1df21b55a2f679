import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Relation } from "../catalog.ts";

/** Text that is safe in a page: everything that was put into it has been escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface Frame {
  readonly title: string;
  readonly database: string;
  readonly user: string;
  readonly formToken: string;
  readonly writable: boolean;
  readonly relations: readonly Relation[];
  /** What is being looked at: `schema.name`, or `query`. */
  readonly current?: string | undefined;
}

export const addressOf = ({ schema, name }: { schema: string; name: string }, rest = ""): string =>
  `/tables/${encodeURIComponent(schema)}/${encodeURIComponent(name)}${rest}`;

/** The bare page around anything. */
export function page(title: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Adminer</title>
        <link rel="icon" href="/icon.svg" />
        <link rel="stylesheet" href="/style.css" />
      </head>
      ${body}
    </html>`;
}

function schemas(relations: readonly Relation[]): [string, Relation[]][] {
  return [...Map.groupBy(relations, (relation) => relation.schema)];
}

function navigation({ relations, current }: Frame): Html {
  return html`<nav aria-label="Tables">
    <details open>
      <summary>Tables</summary>
      ${schemas(relations).map(
        ([schema, members]) =>
          html`<h2>${schema}</h2>
            <ul>
              ${members.map((relation) => {
                const mark = `${relation.schema}.${relation.name}` === current ? html` aria-current="page"` : "";
                return html`<li><a href="${addressOf(relation)}" ${mark}>${relation.name}</a></li>`;
              })}
            </ul>`,
      )}
    </details>
  </nav>`;
}

/** A page for someone who is signed in. */
export function framed(frame: Frame, main: Html): Html {
  const { title, database, user, formToken, writable, current } = frame;
  return page(
    title,
    html`<body>
      <a class="skip" href="#main">Skip to content</a>
      <header>
        <a class="brand" href="/"><span aria-hidden="true">▤</span> ${database}</a>
        <span class="badge ${writable ? "danger" : ""}">${writable ? "writable" : "read-only"}</span>
        <a class="tool" href="/query" ${current === "query" ? html` aria-current="page"` : ""}>Query</a>
        <form method="post" action="/logout">
          <input type="hidden" name="token" value="${formToken}" />
          <span class="who">${user}</span> <button class="quiet">Sign out</button>
        </form>
      </header>
      <div class="columns">
        ${navigation(frame)}
        <main id="main" tabindex="-1">${main}</main>
      </div>
    </body>`,
  );
}

/** What the database said against it, in its own words. */
export function failure(message: string, detail: string | undefined): Html {
  return html`<div class="failure" role="alert">
    <strong>${message}</strong>${detail ? html`<pre>${detail}</pre>` : ""}
  </div>`;
}

/** Bytes as a person reads them. */
export function readableBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
