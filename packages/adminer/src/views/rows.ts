import { html } from "hono/html";
import type { Structure } from "../catalog.ts";
import type { Result } from "../database.ts";
import { type Look, lookAddress, type Operator, operators } from "../rows.ts";
import { addressOf, failure, framed, type Frame, type Html } from "./layout.ts";
import { resultTable } from "./result.ts";

export interface RowsView {
  readonly schema: string;
  readonly name: string;
  readonly structure: Structure;
  readonly look: Look;
  readonly result: Result | undefined;
  readonly fault: { message: string; detail: string | undefined } | undefined;
}

export function tabs(relation: { schema: string; name: string }, current: "rows" | "structure"): Html {
  const tab = (key: typeof current, label: string, address: string) =>
    html`<a href="${address}" ${current === key ? html` aria-current="page"` : ""}>${label}</a>`;
  return html`<h1><span class="muted">${relation.schema}.</span>${relation.name}</h1>
    <p class="tabs">
      ${tab("rows", "Rows", addressOf(relation))} ${tab("structure", "Structure", addressOf(relation, "/structure"))}
    </p>`;
}

function filterForm({ structure, look }: RowsView, address: string): Html {
  const option = (value: string, label: string, chosen: boolean) =>
    html`<option value="${value}" ${chosen ? html` selected` : ""}>${label}</option>`;
  return html`<form class="filter" method="get" action="${address}" role="search">
    ${look.sort === undefined ? "" : html`<input type="hidden" name="sort" value="${look.sort}" />`}
    ${look.descending ? html`<input type="hidden" name="order" value="desc" />` : ""}
    <label
      >Where
      <select name="column">
        ${structure.columns.map(({ name }) => option(name, name, look.filter?.column === name))}
      </select></label
    >
    <label
      ><span class="hidden">Comparison</span>
      <select name="operator">
        ${(Object.keys(operators) as Operator[]).map((key) => option(key, operators[key], look.filter?.operator === key))}
      </select></label
    >
    <label
      ><span class="hidden">Value</span
      ><input name="value" value="${look.filter?.value ?? ""}" placeholder="value" spellcheck="false"
    /></label>
    <button>Filter</button>
    ${look.filter ? html`<a class="button quiet" href="${address}${lookAddress(look, { filter: undefined, page: 1 })}">Clear</a>` : ""}
  </form>`;
}

function head(column: string, look: Look, address: string): Html {
  const isSorted = look.sort === column;
  const descending = isSorted && !look.descending;
  const direction = look.descending ? "descending" : "ascending";
  const arrow = isSorted ? (look.descending ? " ↓" : " ↑") : "";
  const link = `${address}${lookAddress(look, { sort: column, descending, page: 1 })}`;
  return html`<th scope="col" ${isSorted ? html` aria-sort="${direction}"` : ""}>
    <a href="${link}">${column}${arrow}</a>
  </th>`;
}

function pager({ look, result }: RowsView, address: string): Html {
  const link = (page: number, label: string, relation: string) =>
    html`<a class="button quiet" rel="${relation}" href="${address}${lookAddress(look, { page })}">${label}</a>`;
  return html`<p class="pager">
    ${look.page > 1 ? link(look.page - 1, "← Previous", "prev") : ""}
    <span class="muted">Page ${look.page}, ${result?.rows.length ?? 0} rows</span>
    ${result?.more ? link(look.page + 1, "Next →", "next") : ""}
    <a class="button quiet" href="${address}/rows.csv${lookAddress({ ...look, page: 1 })}" download>Download CSV</a>
  </p>`;
}

export function rowsPage(frame: Frame, view: RowsView): Html {
  const { result, fault, look } = view;
  const address = addressOf(view);
  const heads = (result?.columns ?? []).map((column) => head(column, look, address));
  return framed(
    frame,
    html`${tabs(view, "rows")} ${filterForm(view, address)} ${fault ? failure(fault.message, fault.detail) : ""}
    ${result && result.rows.length === 0 ? html`<p class="muted">No rows${look.filter ? " match" : ""}.</p>` : ""}
    ${result && result.rows.length > 0 ? resultTable(`Rows of ${view.name}`, heads, result.rows) : ""}
    ${result ? pager(view, address) : ""}`,
  );
}
