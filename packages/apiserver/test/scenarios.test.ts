import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { randomSuffix } from "@dhow/base";
import { httpTransport, loadKubeconfig } from "@dhow/kube";
import { type ApiServer, createApiServer } from "../src/server.ts";
import type { Send } from "./kinds/answers.ts";
import { play } from "./scenarios/play.ts";
import { scenarios } from "./scenarios/scenarios.ts";

// What a real API server (1.36.3) said. UPDATE_GOLDEN=1 asks the one that DHOW_REAL_KUBECONFIG names again.
const file = fileURLToPath(new URL("./scenarios/answers.json", import.meta.url));
const kubeconfig = process.env["DHOW_REAL_KUBECONFIG"];
const updating = process.env["UPDATE_GOLDEN"] === "1" && kubeconfig !== undefined;

describe("answers of a real API server", { skip: updating ? "asking the real one" : false }, () => {
  const golden = updating ? {} : (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>);
  let server: ApiServer;
  let send: Send;

  before(async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    server = await createApiServer({
      serviceAccountKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    });
    const user = { name: "admin", groups: ["system:masters"] };
    send = (request) => server.handle({ ...request, connection: { remoteAddress: "127.0.0.1", user } });
  });
  after(() => server.close());

  for (const [index, scenario] of scenarios.entries()) {
    test(scenario.name, async () => {
      const answers = await play(send, scenario, `scenario-${index}`);
      for (const [at, answer] of answers.entries()) {
        assert.deepEqual(answer, (golden[scenario.name] as unknown[])[at]);
      }
    });
  }
});

test(
  "ask the real API server",
  { skip: updating ? false : "UPDATE_GOLDEN=1 and DHOW_REAL_KUBECONFIG are not set" },
  async () => {
    const transport = httpTransport(loadKubeconfig(kubeconfig ?? ""));
    const lines: string[] = [];
    for (const [index, scenario] of scenarios.entries()) {
      const answers = await play(
        (request) => transport.request(request),
        scenario,
        `scenario-${index}-${randomSuffix(5)}`,
      );
      const list = answers.map((answer) => `  ${JSON.stringify(answer)}`).join(",\n");
      lines.push(`${JSON.stringify(scenario.name)}: [\n${list}\n]`);
    }
    writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
    transport.close();
  },
);
