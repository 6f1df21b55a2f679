// Writes packages/kube/src/generated from a real API server and the Go modules of its version, or compares with what is committed.
//   KUBECONFIG=… node tools/generate-schema.ts update|verify
// The API server is that of KUBECONFIG, else the real Kubernetes beside the checkout; where there is neither, it says so and does nothing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { schemaFacts } from "./schema/facts.ts";
import type { Facts } from "./schema/facts.ts";
import { metricsGroup, metricsSchemas } from "./schema/metrics.ts";
import { readRealApi } from "./schema/real-api.ts";
import { resourceTable } from "./schema/resource-table.ts";
import { typesFile } from "./schema/types-file.ts";

const folder = new URL("../packages/kube/src/generated/", import.meta.url);
/** Servers of other makers, Dhow's own too, carry something after the number. */
const wanted = /^1\.36\.\d+$/;

/** One line a field, so that a change of the API is read as one. */
function schemaText(facts: Facts): string {
  const types = Object.entries(facts.types).map(([name, { fields, ...rest }]) => {
    const head = JSON.stringify(rest).slice(1, -1);
    const lines = Object.entries(fields).map(([field, text]) => `${JSON.stringify(field)}:${JSON.stringify(text)}`);
    return `${JSON.stringify(name)}:{${head}${head ? "," : ""}"fields":{\n${lines.join(",\n")}}}`;
  });
  return `{"version":${JSON.stringify(facts.version)},"types":{\n${types.join(",\n")}}}\n`;
}

async function generate(): Promise<{ files: Record<string, string> } | { files: undefined; skip: string }> {
  const answer = await readRealApi();
  if (!answer.api) return { files: undefined, skip: answer.skip };
  const { api } = answer;
  if (!wanted.test(api.version)) {
    return { files: undefined, skip: `the API server is ${api.version}, not a Kubernetes 1.36` };
  }
  const facts = schemaFacts(api, metricsSchemas);
  const rows = resourceTable([...api.groups, metricsGroup]);
  return {
    files: {
      "schema.json": schemaText(facts),
      "resources.json": `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`,
      "types.ts": typesFile(facts),
    },
  };
}

/** `update` writes the files; `verify` returns a sentence for each that differs. `skip` says why nothing was done. */
export async function generateSchema(mode: "update" | "verify"): Promise<{ faults: string[]; skip?: string }> {
  const { files, ...rest } = await generate();
  if (!files) return { faults: [], ...rest };
  mkdirSync(folder, { recursive: true });
  const faults: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const file = new URL(name, folder);
    if (mode === "update") writeFileSync(file, text);
    else if (readFileSync(file, "utf8") !== text) {
      faults.push(`packages/kube/src/generated/${name}: differs from the API server; npm run update writes it`);
    }
  }
  return { faults };
}

if (import.meta.main) {
  const { faults, skip } = await generateSchema(process.argv[2] === "verify" ? "verify" : "update");
  if (skip !== undefined) console.log(`skipped: ${skip}`);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
