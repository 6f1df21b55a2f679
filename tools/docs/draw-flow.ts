// Draws docs/flow.svg, the picture of README.md: node tools/docs/draw-flow.ts
import { writeFileSync } from "node:fs";
import { compile } from "@dhow/manifests";
import { describeSystem, generated, ingress, postgres, secret, service, system } from "@dhow/model";

const ink = { dark: "#13243a", text: "#1f3248", faint: "#5c7188", line: "#c3d0dd", paper: "#f7fafc", sea: "#0b7285" };
const code = { word: "#e6edf5", text: "#9fe3c0", call: "#8fc7ff", faint: "#7f93aa" };
const mono = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const sans = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

const description = [
  "const database = postgres(“postgres”, {",
  "  user: secrets.DB_USER,",
  "  password: secrets.DB_PASSWORD,",
  "  storage: “1Gi”,",
  "});",
  "const orders = service(“orders”, {",
  "  source: “orders”, port: 5001,",
  "  env: { DATABASE_URL: database.url },",
  "});",
  "const web = service(“web”, {",
  "  source: “web”, port: 5000,",
  "  env: { ORDERS_URL: orders.url },",
  "});",
  "return [",
  "  ingress(“shop”, {",
  "    routes: { “/”: web },",
  "  }),",
  "];",
];

/** The very system of the left side, so that the objects in the middle are what it becomes. */
const shown = system("shop", () => {
  const secrets = secret("shop-secrets", { DB_USER: "shop", DB_PASSWORD: generated(32) });
  const database = postgres("postgres", { user: secrets.DB_USER, password: secrets.DB_PASSWORD, storage: "1Gi" });
  const orders = service("orders", { source: "orders", port: 5001, env: { DATABASE_URL: database.url } });
  const web = service("web", { source: "web", port: 5000, env: { ORDERS_URL: orders.url } });
  return [ingress("shop", { routes: { "/": web } })];
});

/** `Deployment × 3`, in the order in which they are applied. */
function objectCounts(): string[] {
  const kinds = compile(describeSystem(shown, "development", "1.0.0")).map((object) => object.kind);
  return [...new Set(kinds)].map((kind) => {
    const count = kinds.filter((each) => each === kind).length;
    return count === 1 ? kind : `${kind} × ${count}`;
  });
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly font?: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly weight?: number;
}

function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { size = 13, fill = ink.text, font = sans, anchor = "start", weight = 400 } = style;
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" font-family="${font}" text-anchor="${anchor}" font-weight="${weight}" xml:space="preserve">${words}</text>`;
}

function box(x: number, y: number, width: number, height: number, fill: string, stroke = "none", radius = 8): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${fill}" stroke="${stroke}"/>`;
}

function arrow(path: string): string {
  return `<path d="${path}" fill="none" stroke="${ink.sea}" stroke-width="2" marker-end="url(#tip)"/>`;
}

/** Words, calls and texts of a line of TypeScript in their colours. */
function coloured(line: string): string {
  const pattern = /“[^”]*”|\b(?:const|return)\b|\b[a-z]+(?=\()/g;
  let result = "";
  let from = 0;
  for (const match of line.matchAll(pattern)) {
    const fill = match[0].startsWith("“") ? code.text : /const|return/.test(match[0]) ? code.faint : code.call;
    result += escaped(line.slice(from, match.index));
    result += `<tspan fill="${fill}">${escaped(match[0].replaceAll(/[“”]/g, '"'))}</tspan>`;
    from = match.index + match[0].length;
  }
  return result + escaped(line.slice(from));
}

function descriptionPanel(x: number, y: number): string {
  return [
    text(x, y - 12, "system.ts", { weight: 600 }),
    box(x, y, 316, 356, ink.dark),
    ...description.map((line, index) =>
      text(x + 16, y + 27 + index * 18.4, coloured(line), { size: 12, fill: code.word, font: mono }),
    ),
  ].join("\n");
}

function objectsPanel(x: number, y: number): string {
  const objects = objectCounts();
  const step = 356 / objects.length;
  return [
    text(x, y - 12, "Kubernetes objects", { weight: 600 }),
    ...objects.flatMap((name, index) => [
      box(x, y + index * step, 206, step - 6, "#ffffff", ink.line, 6),
      text(x + 14, y + step / 2 + 2 + index * step, name),
    ]),
  ].join("\n");
}

function pod(x: number, y: number, name: string): string {
  return [
    box(x, y, 78, 30, "#e3f4f6", "#8fc9d2", 15),
    text(x + 39, y + 20, name, { size: 12, anchor: "middle", fill: ink.sea }),
  ].join("\n");
}

function node(x: number, y: number, name: string, pods: readonly string[]): string {
  return [
    box(x, y, 322, 62, "#ffffff", ink.line),
    text(x + 12, y + 37, name, { size: 12, fill: ink.faint }),
    ...pods.map((each, index) => pod(x + 64 + index * 84, y + 16, each)),
  ].join("\n");
}

function clusterPanel(x: number, y: number): string {
  return [
    text(x, y - 12, "a cluster on this machine", { weight: 600 }),
    box(x, y, 350, 252, ink.paper, ink.line),
    box(x + 14, y + 14, 322, 40, ink.dark),
    text(x + 175, y + 39, "API server · controllers · scheduler", { anchor: "middle", fill: code.word }),
    node(x + 14, y + 64, "node-1", ["web", "orders", "postgres"]),
    node(x + 14, y + 134, "node-2", ["web", "orders"]),
    text(x + 14, y + 219, "kubectl, Helm", { size: 12, fill: ink.faint }),
    text(x + 116, y + 219, 'https://127.0.0.1:<tspan fill="#5c7188">port</tspan>', { size: 12, font: mono }),
    text(x + 14, y + 239, "browser", { size: 12, fill: ink.faint }),
    text(x + 116, y + 239, "http://127.0.0.1:8080/", { size: 12, font: mono }),
  ].join("\n");
}

function otherPanel(x: number, y: number): string {
  return [
    box(x, y, 350, 60, ink.paper, ink.line),
    text(x + 175, y + 27, "any other Kubernetes", { anchor: "middle", weight: 600 }),
    text(x + 175, y + 46, "the same objects, as YAML", { size: 12, anchor: "middle", fill: ink.faint }),
  ].join("\n");
}

const label = (x: number, y: number, words: string) =>
  text(x, y, words, { size: 12, font: mono, fill: ink.sea, anchor: "middle", weight: 600 });

/** The picture, as it is committed. */
export function picture(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1080 440" role="img" aria-label="system.ts becomes Kubernetes objects; dhow up runs them in a cluster of its own on this machine, dhow render gives them for any other">
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="${ink.sea}"/></marker></defs>
${box(0, 0, 1080, 440, "#ffffff", "none", 12)}
${descriptionPanel(24, 54)}
${arrow("M344 232H398")}
${objectsPanel(406, 54)}
${arrow("M616 170H698")}
${label(657, 160, "dhow up")}
${clusterPanel(706, 54)}
${arrow("M616 380H698")}
${label(657, 368, "dhow render")}
${otherPanel(706, 350)}
</svg>
`;
}

if (import.meta.main) writeFileSync(new URL("../../docs/flow.svg", import.meta.url), picture());
