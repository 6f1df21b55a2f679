import { html } from "hono/html";
import type { Result } from "../database.ts";
import type { Html } from "./layout.ts";

/** Characters of a value that a page shows; a download has all of them. */
const longest = 300;

export function cell(value: string | null): Html {
  if (value === null) return html`<td class="null">NULL</td>`;
  if (value === "") return html`<td class="null">empty</td>`;
  if (value.length <= longest) return html`<td><div>${value}</div></td>`;
  return html`<td>
    <div>${value.slice(0, longest)}<span class="muted">… ${value.length.toLocaleString("en")} characters</span></div>
  </td>`;
}

/** A table of values; `heads` are the cells of its first row. */
export function resultTable(label: string, heads: readonly Html[], rows: Result["rows"]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
