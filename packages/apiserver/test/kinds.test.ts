import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { httpTransport, loadKubeconfig } from "@dhow/kube";
import { createApiServer, type ApiServer } from "../src/server.ts";
import { type Answer, ask, type Send, textOf } from "./kinds/answers.ts";
import { cases, namespace } from "./kinds/cases.ts";

// What a real API server (1.36.3) said to each case. UPDATE_GOLDEN=1 asks the one that DHOW_REAL_KUBECONFIG names again.
const file = fileURLToPath(new URL("./kinds/answers.json", import.meta.url));
const kubeconfig = process.env["DHOW_REAL_KUBECONFIG"];
const updating = process.env["UPDATE_GOLDEN"] === "1" && kubeconfig !== undefined;

const headers = { "content-type": "application/json" };

async function prepare(send: Send): Promise<void> {
  const make = (path: string, body: unknown) => send({ method: "POST", path, headers, body: JSON.stringify(body) });
  await make("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  const answer = await make(`/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  assert.ok(answer.status === 201 || answer.status === 409, await textOf(answer));
}

describe("kinds answer as a real API server does", { skip: updating ? "asking the real one" : false }, () => {
  const golden = updating ? {} : (JSON.parse(readFileSync(file, "utf8")) as Record<string, Answer>);
  let server: ApiServer;
  let send: Send;

  before(async () => {
    server = await createApiServer({});
    const user = { name: "admin", groups: ["system:masters"] };
    send = (request) => server.handle({ ...request, connection: { remoteAddress: "127.0.0.1", user } });
    await prepare(send);
  });
  after(() => server.close());

  for (const one of cases) {
    test(one.name, async () => assert.deepEqual(await ask(send, one), golden[one.name]));
  }
});

test("every case has a name of its own", () => {
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
});

test(
  "ask the real API server",
  { skip: updating ? false : "UPDATE_GOLDEN=1 and DHOW_REAL_KUBECONFIG are not set" },
  async () => {
    const transport = httpTransport(loadKubeconfig(kubeconfig ?? ""));
    const send: Send = (request) => transport.request(request);
    await prepare(send);
    const answers: Record<string, Answer> = {};
    for (const one of cases) answers[one.name] = await ask(send, one);
    const lines = Object.entries(answers).map(([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
    writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
    await send({ method: "DELETE", path: `/api/v1/namespaces/${namespace}`, headers });
    transport.close();
  },
);
