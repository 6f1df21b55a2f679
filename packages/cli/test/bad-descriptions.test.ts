import assert from "node:assert/strict";
import { test } from "node:test";
import { descriptionWords } from "@dhow/development";
import * as given from "../src/index.ts";
import { dhow, userFolder } from "./fixture.ts";

const program = {
  "api/src/main.ts": "console.log(1);",
  "shop.ts": "export const shop = 1;",
  "broken.ts": 'export const fine = 1;\nexport const broken = "unclosed;\n',
};
const imports = 'import { ingress, peer, postgres, secret, service, system } from "dhow";';
const around = (body: string) => `${imports}\n\nexport default system("shop", () => [\n${body}\n]);\n`;

/** What was written, and what must be said: the place, the fault, and the way out. */
const cases: readonly [name: string, text: string, ...said: RegExp[]][] = [
  [
    "an unknown field",
    around('  service("api", {\n    source: "api",\n    port: 80,\n    replica: 2,\n  }),'),
    /there is no field "replica"/,
    /system\.ts:7:5/,
    /Instead: replicas: …/,
  ],
  [
    "two services with one name",
    around('  service("api", { source: "api", port: 80 }),\n  service("api", { source: "api", port: 81 }),'),
    /service\("api"\) at .*system\.ts:4:3 has that name already/,
    /system\.ts:5:3/,
    /Instead: another name/,
  ],
  [
    "a port out of range",
    around('  service("api", { source: "api", port: 80000 }),'),
    /port is 80000/,
    /system\.ts:4:35/,
    /from 1 to 65535/,
  ],
  [
    "a reference to nothing",
    around('  service("api", { source: "api", port: 80, env: { B: peer("bee").url } }),'),
    /peer\("bee"\): the system has no service/,
    /system\.ts:4:55/,
  ],
  [
    "a name that does not exist",
    around("  servise(1),"),
    /servise is not defined/,
    /system\.ts:4:3/,
    /Instead: service, imported/,
  ],
  [
    "a cycle",
    `${imports}\nexport default system("shop", () => {\n  const a = service("a", { source: "api", port: 1, env: { B: b.url } });\n  const b = service("b", { source: "api", port: 2, env: { A: a.url } });\n  return [a, b];\n});\n`,
    /b is used before it is defined, or in a cycle/,
    /system\.ts:3:62/,
    /peer\("name"\)\.url/,
  ],
  [
    "a name that Kubernetes refuses",
    around('  service("Shop_API", { source: "api", port: 80 }),'),
    /refuses the name "Shop_API"/,
    /system\.ts:4:3/,
    /"shop-api"/,
  ],
  ["a syntax error", around('  service("api", { source: "api" port: 80 }),'), /syntax error/, /system\.ts:4:\d+/],
  [
    "a missing source folder",
    around('  service("api", { source: "apu", port: 80 }),'),
    /there is no folder apu/,
    /system\.ts:4:20/,
    /source: one of api/,
  ],
  [
    "no default export",
    `${imports}\nexport const shop = system("shop", () => []);\n`,
    /exports no system by default/,
    /system\.ts:1/,
  ],
  [
    "an image without a version",
    around('  service("web", { image: "nginx", port: 80 }),'),
    /image is "nginx"/,
    /never "latest"/,
  ],
  [
    "a package that is not there",
    'import "nowhere";\n',
    /there is no package "nowhere"/,
    /system\.ts:1:9/,
    /Instead: npm install nowhere/,
  ],
  [
    "a package that is misspelt",
    'import { system } from "dhwo";\n',
    /no package "dhwo"/,
    /system\.ts:1:25/,
    /from "dhow"/,
  ],
  [
    "an export that is misspelt",
    'import { system, services } from "dhow";\n',
    /"dhow" exports no services/,
    /system\.ts:1:18/,
    /Instead: import \{ service \} from "dhow"/,
  ],
  [
    "a file that is not there",
    `${imports}\nimport { shop } from "./shops.ts";\n`,
    /there is no file .*shops\.ts/,
    /system\.ts:2:25/,
    /Instead: import … from a file that is there: shop\.ts/,
  ],
  [
    "a syntax error in a file that it imports",
    `${imports}\nimport { broken } from "./broken.ts";\n`,
    /syntax error: Unterminated string/,
    /broken\.ts:2:\d+/,
    /mend the line: export const broken = "/,
  ],
  [
    "a cycle outside of the function",
    `${imports}\nconst a = service("a", { source: "api", port: 1, env: { B: b.url } });\nconst b = service("b", { source: "api", port: 2, env: { A: a.url } });\n`,
    /b is used before it is defined, or in a cycle/,
    /system\.ts:2:60/,
    /peer\("name"\)\.url/,
  ],
];

for (const [name, text, ...said] of cases) {
  test(`${name} is said with its place and a way out, and nothing is printed as if it were fine`, () => {
    using folder = userFolder({ ...program, "system.ts": text });
    const { code, stdout, stderr } = dhow(folder.path, "render");
    assert.equal(code, 1, stderr);
    assert.equal(stdout, "");
    for (const expected of said) assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /node:internal|\/packages\//, "a person's mistake shows no insides");
  });
}

test("an environment that the description does not list is refused, wherever one can be said", () => {
  const listed = `${imports}\nexport default system("shop", () => [], {\n  environments: { production: {}, staging: {} },\n});\n`;
  using folder = userFolder({ "system.ts": listed });
  for (const command of ["render", "apply", "up"]) {
    const { code, stdout, stderr } = dhow(folder.path, command, "--environment", "nowhere");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /system\("shop"\) has no environment "nowhere"/);
    assert.match(stderr, /system\.ts:3:3/);
    assert.match(stderr, /Instead: development, production, or staging/);
  }
});

test("what is proposed instead of a misspelt name is what the package gives", () => {
  assert.deepEqual([...descriptionWords].sort(), Object.keys(given).sort());
});

test("a folder without a system.ts, and one that is not there", () => {
  using folder = userFolder({});
  assert.match(dhow(folder.path, "render").stderr, /there is no system\.ts in/);
  assert.match(dhow(folder.path, "render", "elsewhere").stderr, /there is no folder .*elsewhere/);
});

test("a command that does not exist, an option that does not, and a port that is none are refused with help", () => {
  using folder = userFolder({});
  for (const words of [["start"], ["render", "--colour"], ["up", "--port", "abc"]]) {
    const { code, stderr } = dhow(folder.path, ...words);
    assert.equal(code, 1);
    assert.match(stderr, /error: /);
  }
});

test("every command has help with an example", () => {
  using folder = userFolder({});
  for (const name of ["up", "down", "status", "logs", "kubeconfig", "render", "secret", "apply"]) {
    const { code, stdout } = dhow(folder.path, name, "--help");
    assert.equal(code, 0);
    assert.match(stdout, /Example:\n {2}.*dhow /);
  }
});

test("what needs a running cluster says how to start one", () => {
  using folder = userFolder({ ...program, "system.ts": around('  service("api", { source: "api", port: 80 }),') });
  for (const words of [["status"], ["logs"], ["kubeconfig"], ["down"], ["secret", "x"]]) {
    const { code, stderr } = dhow(folder.path, ...words);
    assert.equal(code, 1);
    assert.match(stderr, /no cluster runs for .*\n.*Instead: dhow up/s);
  }
});
