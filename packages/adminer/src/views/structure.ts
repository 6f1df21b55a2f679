import { html } from "hono/html";
import type { Structure } from "../catalog.ts";
import { framed, type Frame, type Html } from "./layout.ts";
import { tabs } from "./rows.ts";

function definitions(title: string, list: Structure["indexes"]): Html | "" {
  if (list.length === 0) return "";
  return html`<h2>${title}</h2>
    <dl>
      ${list.map(
        ({ name, definition }) =>
          html`<dt>${name}</dt>
            <dd><code>${definition}</code></dd>`,
      )}
    </dl>`;
}

export function structurePage(frame: Frame, relation: { schema: string; name: string }, structure: Structure): Html {
  const rows = structure.columns.map(
    (column) =>
      html`<tr>
        <th scope="row">
          ${column.name}${structure.primaryKey.includes(column.name) ? html` <span class="badge">key</span>` : ""}
        </th>
        <td><code>${column.type}</code></td>
        <td>${column.nullable ? "yes" : "no"}</td>
        <td>${column.default === null ? "" : html`<code>${column.default}</code>`}</td>
        <td>${column.comment ?? ""}</td>
      </tr>`,
  );
  return framed(
    frame,
    html`${tabs(relation, "structure")}
      <div class="scroll" tabindex="0" role="region" aria-label="Columns">
        <table>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Type</th>
              <th scope="col">May be NULL</th>
              <th scope="col">Default</th>
              <th scope="col">Comment</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
      ${definitions("Indexes", structure.indexes)} ${definitions("Constraints", structure.constraints)}
      ${
        structure.definition === null
          ? ""
          : html`<h2>Definition</h2>
              <pre>${structure.definition}</pre>`
      }`,
  );
}
