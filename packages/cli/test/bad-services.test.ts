import assert from "node:assert/strict";
import { test } from "node:test";
import { stateFolder } from "@dhow/development";
import { clusterFolder, commandsOf, dhow, freePort, startDhow } from "./fixture.ts";
import { readdirSync } from "node:fs";

const imports = 'import { service, system } from "dhow";\n';

/** A program that listens, but not where it should. */
const listener = (where: string) =>
  `import { createServer } from "node:http";\nconsole.log("here I am");\ncreateServer((_, response) => response.end()).listen(${where});\n`;

/** What each service does wrong, how it is described, and what must be said of it. */
const bad: readonly { name: string; files: Record<string, string>; options: string; said: RegExp }[] = [
  {
    name: "exits",
    files: { "src/main.ts": 'console.log("one last word");\n\nthrow new Error("JWT_KEY is not set");\n' },
    options: "",
    said: /exits +✗ exits with 1, \w+[^]*?exits\/src\/main\.ts:3:7[^]*?one last word[^]*?JWT_KEY is not set[^]*?Instead: in system\.ts, exits: env: \{ JWT_KEY/,
  },
  {
    name: "never",
    files: { "src/main.ts": 'console.log("thinking");\nsetInterval(() => undefined, 1000);\n' },
    options: "",
    said: /never +✗ listens nowhere; expected on port 3000\n[^✗]*thinking\n[^✗]*Instead: listen on the port in the environment variable PORT \(3000\)/,
  },
  {
    name: "elsewhere",
    files: { "src/main.ts": listener("4000") },
    options: "",
    said: /elsewhere +✗ listens on 4000; expected on port 3000\n[^✗]*here I am\n[^✗]*Instead: port: 4000 in system\.ts, or listen on/,
  },
  {
    name: "alone",
    files: { "src/main.ts": listener('3000, "127.0.0.1"') },
    options: "",
    said: /alone +✗ listens on 127\.0\.0\.1:3000, where only the pod reaches it; expected on port 3000\n[^✗]*Instead: listen on .*on all addresses/,
  },
  {
    name: "unhealthy",
    files: {
      "src/main.ts":
        'import { createServer } from "node:http";\ncreateServer((_, response) => response.writeHead(404).end()).listen(3000);\n',
    },
    options: "",
    said: /unhealthy +✗ does not answer GET \/health on port 3000 with 200\n[^✗]*Instead: an answer to GET \/health/,
  },
  {
    name: "missing",
    files: { "app.py": "" },
    options: 'run: "no-such-program app.py", ',
    said: /missing +✗ exits with 127, \w+\n[^✗]*no-such-program[^✗]*Instead: /,
  },
  {
    name: "greedy",
    files: {
      "src/main.ts":
        'console.log("more, more");\nconst all: Buffer[] = [];\nsetInterval(() => all.push(Buffer.alloc(16_000_000, 1)), 5);\n',
    },
    options: 'resources: { limits: { memory: "96Mi" } }, ',
    said: /greedy +✗ needed more memory than its limit \(OOMKilled\), \w+\n[^✗]*more, more\n[^✗]*Instead: a larger resources\.limits\.memory/,
  },
];

const descriptionOf = (services: typeof bad) =>
  `${imports}\nexport default system("shop", () => [\n${services
    .map(({ name, options }) => `  service("${name}", { source: "${name}", port: 3000, replicas: 1, ${options}}),\n`)
    .join("")}]);\n`;

const filesOf = (services: typeof bad) => ({
  "system.ts": descriptionOf(services),
  ...Object.fromEntries(
    services.flatMap(({ name, files }) => Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])),
  ),
});

test("each service that does not come up is shown with what is wrong, where, its last lines, and what to write instead", async (t) => {
  using folder = clusterFolder(filesOf(bad));
  await using running = startDhow(folder.path, "up", "--port", String(await freePort()));
  for (const { name, said } of bad) await t.test(name, () => running.said(said));
  assert.doesNotMatch(running.output, /KUBECONFIG/, "it is not said to be ready");
  assert.equal(await running.interrupt(), 1);
});

test("with --detach the first that fails ends everything, with exit code 1", async () => {
  using folder = clusterFolder(filesOf(bad.slice(0, 1)));
  const { code, stdout, stderr } = dhow(folder.path, "up", "--detach", "--port", String(await freePort()));
  assert.equal(code, 1, stdout + stderr);
  assert.match(stdout, /exits +✗ exits with 1, \w+[^]*exits\/src\/main\.ts:3:7/);
  assert.match(dhow(folder.path, "status").stderr, /no cluster runs/);
  const left = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandsOf(Number(pid)).some((word) => word.includes(stateFolder(folder.path).path)));
  assert.deepEqual(left, []);
});
