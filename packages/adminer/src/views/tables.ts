import { html } from "hono/html";
import { addressOf, framed, type Frame, type Html, readableBytes } from "./layout.ts";

export function tablesPage(frame: Frame): Html {
  const { relations } = frame;
  const rows = relations.map(
    (relation) =>
      html`<tr>
        <td>${relation.schema}</td>
        <th scope="row"><a href="${addressOf(relation)}">${relation.name}</a></th>
        <td>${relation.kind}</td>
        <td class="number">${relation.rows === undefined ? "–" : relation.rows.toLocaleString("en")}</td>
        <td class="number">${relation.bytes === 0 ? "–" : readableBytes(relation.bytes)}</td>
        <td><a href="${addressOf(relation, "/structure")}" aria-label="Structure of ${relation.name}">structure</a></td>
      </tr>`,
  );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Tables">
    <table>
      <thead>
        <tr>
          <th scope="col">Schema</th>
          <th scope="col">Name</th>
          <th scope="col">Kind</th>
          <th scope="col" class="number">Rows, estimated</th>
          <th scope="col" class="number">Size</th>
          <th scope="col"><span class="hidden">Structure</span></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
  return framed(
    frame,
    html`<h1>Tables</h1>
      ${relations.length === 0 ? html`<p class="muted">There are no tables yet.</p>` : table}`,
  );
}
