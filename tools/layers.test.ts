import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { temporaryFolder } from "@dhow/testkit";
import { checkLayers } from "./layers.ts";
import { checkPublicNames, updatePublicNames } from "./public-names.ts";

const root = new URL("..", import.meta.url).pathname;

/** A repository of made-up packages, which is the current folder until the test ends. */
function repository(files: Readonly<Record<string, string>>): Disposable {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries({
    "package.json": '{ "devDependencies": { "typescript": "7" } }',
    ...files,
  })) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), text);
  }
  process.chdir(folder.path);
  return folder;
}

function manifest(name: string, layer: number | undefined, ...dependencies: string[]): string {
  return JSON.stringify({ name, layer, dependencies: Object.fromEntries(dependencies.map((each) => [each, "1.0.0"])) });
}

afterEach(() => process.chdir(root));

describe("layers", () => {
  test("the packages of this repository import downwards only, and name what they import", () => {
    process.chdir(root);
    assert.deepEqual(checkLayers(), []);
  });

  test("an import of a lower layer is right; of the same or a higher one it is not", () => {
    using _ = repository({
      "packages/low/package.json": manifest("@x/low", 1, "@x/high"),
      "packages/low/src/index.ts": 'import { high } from "@x/high";\n',
      "packages/high/package.json": manifest("@x/high", 2, "@x/low", "@x/peer"),
      "packages/high/src/index.ts": 'import { low } from "@x/low";\nexport { peer } from "@x/peer";\n',
      "packages/peer/package.json": manifest("@x/peer", 2),
    });
    assert.deepEqual(checkLayers().sort(), [
      "packages/high/src/index.ts: @x/high (layer 2) imports @x/peer (layer 2): only lower layers",
      "packages/low/src/index.ts: @x/low (layer 1) imports @x/high (layer 2): only lower layers",
    ]);
  });

  test("what is imported is declared; tests may use what the repository installs for them", () => {
    using _ = repository({
      "packages/one/package.json": manifest("@x/one", 1),
      "packages/one/src/index.ts": 'import ts from "typescript";\nconst late = await import("left-pad");\n',
      "packages/one/test/one.test.ts": 'import ts from "typescript";\nimport { a } from "@x/one";\nimport "node:fs";\n',
    });
    assert.deepEqual(checkLayers(), [
      "packages/one/src/index.ts: imports typescript, which packages/one/package.json does not name",
      "packages/one/src/index.ts: imports left-pad, which packages/one/package.json does not name",
    ]);
  });

  test("every package has a layer", () => {
    using _ = repository({ "packages/one/package.json": manifest("@x/one", undefined) });
    assert.deepEqual(checkLayers(), ['packages/one/package.json: has no "layer"']);
  });
});

describe("public names", () => {
  test("are committed as they are", () => {
    process.chdir(root);
    assert.deepEqual(checkPublicNames(), []);
  });

  test("are found in every form of export, and compared with the file", () => {
    using _ = repository({
      "packages/one/src/index.ts":
        'export { a, type B, c as d } from "./a.ts";\nexport type { E } from "./e.ts";\nexport async function f() {}\nexport const g = 1;\n',
    });
    assert.deepEqual(checkPublicNames(), [
      "packages/one/public-names.txt: differs from what one exports; npm run update writes it",
    ]);
    updatePublicNames();
    assert.deepEqual(checkPublicNames(), []);
    writeFileSync("packages/one/public-names.txt", "B\nE\na\nd\nf\n");
    assert.equal(checkPublicNames().length, 1);
  });

  test("of a package that exports everything there is are refused", () => {
    using _ = repository({ "packages/one/src/index.ts": 'export * from "./a.ts";\n' });
    assert.deepEqual(checkPublicNames(), ['packages/one/src/index.ts: name what is exported instead of "export *"']);
  });
});
