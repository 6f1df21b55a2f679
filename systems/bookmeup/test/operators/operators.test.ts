import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type BookMeUpCluster, startCluster } from "../cluster.ts";
import { capacity } from "./capacity.ts";
import { environments } from "./environments.ts";
import { Load } from "./load.ts";
import { migration } from "./migration.ts";
import { secrets } from "./secrets.ts";
import { versions } from "./versions.ts";

describe("BookMeUp in operators' hands, while people use it", () => {
  let cluster: BookMeUpCluster;
  let load: Load;

  before(async () => {
    cluster = await startCluster();
    load = await Load.begin({ port: cluster.port }, 4);
  });
  after(async () => {
    load?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  const stage = () => ({ cluster, load });
  capacity(stage);
  secrets(stage);
  versions(stage);
  migration(stage);
  environments(stage);

  it("has lost no request and no booking", (test) => {
    for (const line of load.table()) test.diagnostic(line);
    assert.deepEqual(
      load.rows.filter(({ failures, lost, doubled }) => failures.length + lost + doubled > 0),
      [],
    );
  });
});
