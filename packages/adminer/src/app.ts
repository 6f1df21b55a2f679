import { readFileSync } from "node:fs";
import { log, routeLabels } from "@dhow/service";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie } from "hono/cookie";
import { readRelations, readStructure } from "./catalog.ts";
import type { Configuration } from "./configuration.ts";
import { csvLine } from "./csv.ts";
import { Database, type Reader } from "./database.ts";
import { explain, Refusal } from "./failures.ts";
import { readLook, pageSize, rowsQuery } from "./rows.ts";
import { isSame, type Session, Sessions } from "./sessions.ts";
import { cookieName, isFromHere, loginRoutes } from "./sign-in.ts";
import { failure, framed, type Frame, type Html } from "./views/layout.ts";
import { queryPage } from "./views/query.ts";
import { rowsPage } from "./views/rows.ts";
import { structurePage } from "./views/structure.ts";
import { tablesPage } from "./views/tables.ts";

/** What a route of someone who is signed in has at hand. */
export interface Signed {
  readonly context: Context;
  readonly session: Session;
  readonly database: Database;
  readonly frame: (reader: Reader, title: string, current?: string) => Promise<Frame>;
}

const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

function protect(app: Hono): void {
  app.use(routeLabels);
  app.use(bodyLimit({ maxSize: 256 * 1024 }));
  app.use(async (context, next) => {
    if (context.req.method !== "GET" && context.req.method !== "HEAD" && !isFromHere(context))
      return context.text("This form was sent from another site.", 403);
    await next();
    context.header("Content-Security-Policy", policy);
    context.header("X-Content-Type-Options", "nosniff");
    context.header("Referrer-Policy", "no-referrer");
    context.header("Cache-Control", context.res.headers.get("cache-control") ?? "no-store");
  });
}

function assetRoutes(app: Hono): void {
  const files = {
    "/style.css": ["style.css", "text/css; charset=utf-8"],
    "/icon.svg": ["icon.svg", "image/svg+xml"],
  } as const;
  for (const [path, [file, contentType]] of Object.entries(files)) {
    const body = readFileSync(new URL(file, import.meta.url), "utf8");
    app.get(path, (context) =>
      context.body(body, 200, { "content-type": contentType, "cache-control": "max-age=300" }),
    );
  }
}

type Wrap = (route: (signed: Signed) => Response | Promise<Response>) => (context: Context) => Promise<Response>;

/** Lets a route be reached by those who are signed in, with what it needs; everybody else is shown the way in. */
function forSignedIn(configuration: Configuration, sessions: Sessions): Wrap {
  const name = decodeURIComponent(new URL(configuration.databaseUrl).pathname.slice(1)) || "database";
  return (route) => async (context) => {
    const session = sessions.find(getCookie(context, cookieName));
    if (!session) return context.redirect("/login", 303);
    const database = new Database(configuration, session.credentials);
    const { user, formToken } = session;
    const frame = async (reader: Reader, title: string, current?: string) => {
      const relations = await readRelations(reader);
      return { title, database: name, user, formToken, writable: configuration.writable, relations, current };
    };
    return route({ context, session, database, frame });
  };
}

async function readForm(context: Context, session: Session): Promise<Record<string, unknown>> {
  const form = await context.req.parseBody();
  const token = form["token"];
  if (typeof token !== "string" || !isSame(token, session.formToken))
    throw new Refusal(403, "This form is not of this session.");
  return form;
}

/** The relation that a path names, with its structure; one that does not exist is a 404. */
async function found(context: Context, reader: Reader) {
  const schema = context.req.param("schema") ?? "";
  const name = context.req.param("table") ?? "";
  const structure = await readStructure(reader, schema, name);
  if (!structure) throw new Refusal(404, `There is no table ${schema}.${name}.`);
  return { schema, name, structure };
}

function showTables({ context, database, frame }: Signed): Promise<Response> {
  return database.read(async (reader) => context.html(tablesPage(await frame(reader, "Tables"))));
}

async function showRows({ context, database, frame }: Signed): Promise<Response> {
  const [view, shown] = await database.read(async (reader) => {
    const relation = await found(context, reader);
    return [relation, await frame(reader, relation.name, `${relation.schema}.${relation.name}`)] as const;
  });
  const look = readLook(context.req.query(), view.structure);
  const { text, values } = rowsQuery(view.schema, view.name, look, view.structure);
  // Apart from the catalogue's transaction: a value that is none of its column's type fails, and the page around it stands.
  const answer = await database
    .read(({ read }) => read(`${text} limit ${pageSize + 1} offset ${(look.page - 1) * pageSize}`, values, pageSize))
    .then((result) => ({ result, fault: undefined }))
    .catch((error: unknown) => ({ result: undefined, fault: explain(error) }));
  return context.html(rowsPage(shown, { ...view, look, ...answer }), answer.fault ? 400 : 200);
}

function showStructure({ context, database, frame }: Signed): Promise<Response> {
  return database.read(async (reader) => {
    const relation = await found(context, reader);
    const shown = await frame(reader, `Structure of ${relation.name}`, `${relation.schema}.${relation.name}`);
    return context.html(structurePage(shown, relation, relation.structure));
  });
}

function asDownload(context: Context, name: string, body: string | ReadableStream): Response {
  const file = name.replaceAll(/[^\w.-]/g, "_");
  context.header("Content-Type", "text/csv; charset=utf-8");
  context.header("Content-Disposition", `attachment; filename="${file}.csv"`);
  return context.body(body);
}

async function downloadRows({ context, database }: Signed): Promise<Response> {
  const { schema, name, structure } = await database.read((reader) => found(context, reader));
  const { text, values } = rowsQuery(schema, name, readLook(context.req.query(), structure), structure);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const write = (lines: string) => writer.write(encoder.encode(lines));
  const send = async () => {
    await write(csvLine(structure.columns.map((column) => column.name)));
    await database.stream(text, values, ({ rows }) => write(rows.map(csvLine).join("")));
    await writer.close();
  };
  // A download that breaks off must not look whole: the connection is broken too.
  send().catch(async (error: unknown) => {
    log.warn("download broke off", { table: `${schema}.${name}`, reason: explain(error).message });
    await writer.abort(error).catch(() => undefined);
  });
  return asDownload(context, name, readable);
}

async function runQuery({ context, session, database, frame }: Signed): Promise<Response> {
  const form = await readForm(context, session);
  const text = typeof form["text"] === "string" ? form["text"] : "";
  const started = performance.now();
  const answer = await database
    .run(text)
    .then((result) => ({ result, fault: undefined }))
    .catch((error: unknown) => ({ result: undefined, fault: explain(error) }));
  log.info("query", { user: session.user, text, outcome: answer.fault ? answer.fault.message : "done" });
  if (context.req.path === "/query.csv" && answer.result)
    return asDownload(context, "query", [answer.result.columns, ...answer.result.rows].map(csvLine).join(""));
  const milliseconds = Math.round(performance.now() - started);
  return database.read(async (reader) => {
    const shown = await frame(reader, "Query", "query");
    return context.html(queryPage(shown, { text, milliseconds, ...answer }), answer.fault ? 400 : 200);
  });
}

function showQuery({ context, database, frame }: Signed): Promise<Response> {
  return database.read(async (reader) => context.html(queryPage(await frame(reader, "Query", "query"), { text: "" })));
}

function errorPage(writable: boolean, message: string, detail: string | undefined): Html {
  const frame = { title: "Error", database: "Adminer", user: "", formToken: "", writable, relations: [] };
  return framed(frame, failure(message, detail));
}

/** The database page: behind a login, and reading only unless `writable`. */
export function createAdminer(configuration: Configuration): Hono {
  const app = new Hono();
  const sessions = new Sessions();
  protect(app);
  assetRoutes(app);
  loginRoutes(app, configuration, sessions);
  const signedIn = forSignedIn(configuration, sessions);
  app.get("/", signedIn(showTables));
  app.get("/tables/:schema/:table", signedIn(showRows));
  app.get("/tables/:schema/:table/structure", signedIn(showStructure));
  app.get("/tables/:schema/:table/rows.csv", signedIn(downloadRows));
  app.get("/query", signedIn(showQuery));
  app.post("/query", signedIn(runQuery));
  app.post("/query.csv", signedIn(runQuery));
  app.post(
    "/logout",
    signedIn(async ({ context, session }) => {
      await readForm(context, session);
      sessions.end(session.id);
      return context.redirect("/login", 303);
    }),
  );
  app.onError((error, context) => {
    const { message, detail } = explain(error);
    if (!(error instanceof Refusal)) log.error("failed", { path: context.req.path, error });
    return context.html(
      errorPage(configuration.writable, message, detail),
      error instanceof Refusal ? error.status : 502,
    );
  });
  return app;
}
