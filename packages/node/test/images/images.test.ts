import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { DhowError } from "@dhow/base";
import { temporaryFolder } from "@dhow/testkit";
import { createImageRuntime, repositoryName } from "../../src/images/image-runtime.ts";
import { matches } from "../../src/images/table.ts";

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function runtimeWith(folder: string, images: unknown) {
  const table = join(folder, "node/images.json");
  write(folder, { "node/images.json": JSON.stringify({ images }) });
  return createImageRuntime({ table, cache: join(folder, "cache") });
}

const code = (wanted: string) => (error: unknown) =>
  error instanceof DhowError && error.code === wanted && error.instead !== undefined;

test("a TypeScript source sees its folder, the installed packages and the workspace packages it depends on, and nothing else", async () => {
  using folder = temporaryFolder();
  const root = join(folder.path, "work");
  write(root, {
    "package.json": '{ "workspaces": ["packages/*", "shop/*"] }',
    "packages/kit/package.json": '{ "name": "@me/kit", "dependencies": { "@me/base": "1" } }',
    "packages/base/package.json": '{ "name": "@me/base" }',
    "packages/other/package.json": '{ "name": "@me/other" }',
    "node_modules/left/package.json": "{}",
    "shop/web/package.json": '{ "dependencies": { "@me/kit": "1", "left": "1" } }',
    "shop/web/src/main.ts": "",
    "shop/web/.dhow/state": "secret",
  });
  mkdirSync(join(root, "node_modules/@me"));
  for (const name of ["kit", "base", "other"])
    symlinkSync(`../../packages/${name}`, join(root, `node_modules/@me/${name}`));
  const runtime = runtimeWith(folder.path, { "shop/web:1": { source: join(root, "shop/web") } });
  const image = await runtime.resolve("shop/web:1");
  runtime.close();
  assert.deepEqual(image.mounts.map(({ target }) => target).sort(), [
    "/app/node_modules",
    "/app/packages/base",
    "/app/packages/kit",
    "/app/shop/web/package.json",
    "/app/shop/web/src",
    "/opt/dhow/bin/node",
    "/var/cache/node",
  ]);
  assert.deepEqual(
    image.mounts.filter(({ readOnly }) => !readOnly).map(({ target }) => target),
    ["/var/cache/node"],
  );
  assert.deepEqual(
    [image.workingDirectory, ...image.entrypoint, ...image.command],
    ["/app/shop/web", "/opt/dhow/bin/node", "src/main.ts"],
  );
  assert.deepEqual(runtime.known(), ["shop/web:1"]);
});

test("the digest changes with the content, also that of a package it uses, and with nothing else", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "web/main.ts": "1", "web/node_modules/x/index.js": "" });
  const runtime = runtimeWith(folder.path, { web: { source: join(folder.path, "web") } });
  const first = (await runtime.resolve("web")).digest;
  writeFileSync(join(folder.path, "web/node_modules/x/index.js"), "changed");
  assert.equal((await runtime.resolve("web")).digest, first);
  writeFileSync(join(folder.path, "web/main.ts"), "2");
  utimesSync(join(folder.path, "web/main.ts"), new Date(), new Date(Date.now() + 5000));
  assert.notEqual((await runtime.resolve("web")).digest, first);
  runtime.close();
});

test("main of package.json, a run line, and what is wrong with a source", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "a/package.json": '{ "main": "start.js" }', "a/start.js": "", "b/app.py": "" });
  const source = (name: string, more = {}) => ({ source: join(folder.path, name), ...more });
  const runtime = runtimeWith(folder.path, {
    a: source("a"),
    b: source("b", { run: "python3 app.py" }),
    empty: source("b"),
    gone: source("gone"),
  });
  assert.deepEqual((await runtime.resolve("a")).command, ["start.js"]);
  assert.deepEqual((await runtime.resolve("b")).entrypoint, ["/bin/sh", "-c", "exec python3 app.py"]);
  await assert.rejects(runtime.resolve("empty"), code("IMAGE_ENTRY_MISSING"));
  await assert.rejects(runtime.resolve("gone"), code("IMAGE_SOURCE_MISSING"));
  await assert.rejects(runtime.resolve("example.org/nothing:1"), code("IMAGE_UNKNOWN"));
  runtime.close();
});

test("the table is read again when it is replaced, and says so", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "a/main.ts": "" });
  const runtime = runtimeWith(folder.path, {});
  await assert.rejects(runtime.resolve("shop/a:2"), code("IMAGE_UNKNOWN"));
  const changed = new Promise<void>((resolve) => runtime.onChange(resolve));
  write(folder.path, { "node/new": JSON.stringify({ images: { "shop/*:*": { source: join(folder.path, "a") } } }) });
  renameSync(join(folder.path, "node/new"), join(folder.path, "node/images.json"));
  await changed;
  assert.deepEqual((await runtime.resolve("shop/a:2")).command, ["main.ts"]);
  runtime.close();
});

test("layers, aliases and patterns", async () => {
  using folder = temporaryFolder();
  const runtime = runtimeWith(folder.path, {
    built: { layers: [folder.path], entrypoint: ["/x"], user: 7 },
    mine: { alias: "busybox" },
    broken: { layers: ["/no/such"] },
  });
  assert.deepEqual((await runtime.resolve("built")).root, [folder.path]);
  assert.equal((await runtime.resolve("built")).user, 7);
  assert.deepEqual((await runtime.resolve("mine")).command, ["sh"]);
  await assert.rejects(runtime.resolve("broken"), code("IMAGE_LAYER_MISSING"));
  runtime.close();
  assert.equal(matches("shop/*:*", "shop/a:1"), true);
  assert.equal(matches("shop.*", "shopx"), false);
  assert.equal(repositoryName("docker.io/library/postgres:18.4@sha256:00"), "postgres");
  assert.equal(repositoryName("localhost:5000/node"), "node");
});

test("PostgreSQL is prepared once: its libraries are linked, its data folder is made", async () => {
  using folder = temporaryFolder();
  const runtime = runtimeWith(folder.path, {});
  const image = await runtime.resolve("postgres:18.4");
  runtime.close();
  const data = image.mounts.find(({ target }) => target === "/opt/dhow/postgres-data")?.source ?? "";
  assert.match(execFileSync("cat", [join(data, "PG_VERSION")], { encoding: "utf8" }), /^18/);
  const script = image.mounts.find(({ target }) => target === image.entrypoint[1])?.source ?? "";
  execFileSync("sh", ["-n", script]);
  assert.ok(image.mounts.some(({ target }) => image.env["LD_LIBRARY_PATH"]?.startsWith(`${target}:`)));
});
