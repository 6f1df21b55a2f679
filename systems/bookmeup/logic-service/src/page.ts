import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import type { Context, Hono } from "hono";

const folder = new URL("../web/", import.meta.url);

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  // The browser asks for modules by the names that they import, and goes by the content type.
  ".ts": "text/javascript; charset=utf-8",
};

interface Asset {
  readonly body: string;
  readonly contentType: string;
  readonly etag: string;
}

async function readAsset(name: string): Promise<Asset> {
  const extension = extname(name);
  const text = await readFile(new URL(name, folder), "utf8");
  const body = extension === ".ts" ? stripTypeScriptTypes(text) : text;
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { body, etag, contentType: contentTypes[extension] ?? "" };
}

async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const names = (await readdir(folder)).filter((name) => extname(name) in contentTypes);
  return new Map(await Promise.all(names.map(async (name) => [name, await readAsset(name)] as const)));
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

function answer(context: Context, asset: Asset): Response {
  context.header("ETag", asset.etag);
  context.header("Cache-Control", "no-cache");
  context.header("Content-Security-Policy", policy);
  context.header("X-Content-Type-Options", "nosniff");
  context.header("Referrer-Policy", "same-origin");
  const known = (context.req.header("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(asset.etag)) return context.body(null, 304);
  context.header("Content-Type", asset.contentType);
  return context.body(asset.body);
}

/** The web page: index.html at `/`, everything else of the web folder under `/assets/`. Read and stripped of its types when it is first asked for. */
export function pageRoutes(app: Hono): void {
  let assets: Promise<ReadonlyMap<string, Asset>> | undefined;
  const serveAsset = async (context: Context, name: string) => {
    const asset = (await (assets ??= readAssets())).get(name);
    return asset ? answer(context, asset) : context.notFound();
  };
  app.get("/", (context) => serveAsset(context, "index.html"));
  app.get("/assets/:name", (context) => serveAsset(context, context.req.param("name")));
}
