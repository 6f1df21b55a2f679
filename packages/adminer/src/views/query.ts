import { html } from "hono/html";
import type { Result } from "../database.ts";
import { failure, framed, type Frame, type Html } from "./layout.ts";
import { resultTable } from "./result.ts";

export interface QueryView {
  readonly text: string;
  readonly result?: Result | undefined;
  readonly fault?: { message: string; detail: string | undefined } | undefined;
  readonly milliseconds?: number | undefined;
}

function outcome({ result, milliseconds }: QueryView): Html | "" {
  if (!result) return "";
  const took = milliseconds === undefined ? "" : `, ${milliseconds} ms`;
  if (result.columns.length === 0)
    return html`<p role="status">
      <strong>${result.command}</strong>${result.count === undefined ? "" : ` ${result.count} rows`}${took}
    </p>`;
  const shown = result.more ? `The first ${result.rows.length} rows; there are more` : `${result.rows.length} rows`;
  const heads = result.columns.map((column) => html`<th scope="col">${column}</th>`);
  return html`<p role="status" class="muted">${shown}${took}</p>
    ${resultTable("Result", heads, result.rows)}`;
}

export function queryPage(frame: Frame, view: QueryView): Html {
  const about = frame.writable
    ? "One statement. It is carried out as it stands: there is no way back."
    : "One statement: SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW. Nothing can be changed here.";
  return framed(
    frame,
    html`<h1>Query</h1>
      <form method="post" action="/query" class="query">
        <input type="hidden" name="token" value="${frame.formToken}" />
        <label for="text" class="hidden">SQL</label>
        <textarea
          id="text"
          name="text"
          rows="6"
          spellcheck="false"
          autocapitalize="none"
          required
          aria-describedby="about"
          ${view.result || view.fault ? "" : "autofocus"}
        >
${view.text}</textarea>
        <p class="muted" id="about">${about}</p>
        <p><button>Run</button> <button class="quiet" formaction="/query.csv">Download CSV</button></p>
      </form>
      ${view.fault ? failure(view.fault.message, view.fault.detail) : ""} ${outcome(view)}`,
  );
}
