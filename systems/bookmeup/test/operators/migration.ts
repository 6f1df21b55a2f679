import assert from "node:assert/strict";
import { it } from "node:test";
import { eventually } from "@dhow/testkit";
import { complete, patience, release, type Stage } from "./operator.ts";

const step = `import type { Migration } from "./migration.ts";

export const noPhones: Migration = {
  version: 4,
  name: "no phone numbers",
  destructive: true,
  sql: "alter table users drop column phone; alter table users add column phone text not null default ''",
};
`;

/** The next version of db-service: it throws everybody's phone number away. */
const changes = {
  "src/migrations/0004-no-phones.ts": () => step,
  "src/migrations/index.ts": (text: string) =>
    text
      .replace("[accounts, services, bookings]", "[accounts, services, bookings, noPhones]")
      .replace("import type", 'import { noPhones } from "./0004-no-phones.ts";\nimport type'),
};

const count = `
import { Client } from "pg";
const client = new Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const { rows } = await client.query("select version from schema_migrations order by version");
await client.end();
console.log(JSON.stringify(rows.map(({ version }) => version)));`;

/** A migration that would lose data. */
export function migration(stage: () => Stage): void {
  it("refuses a migration that loses data until it is consented to; the old version serves", async () => {
    const { cluster, load } = stage();
    const reference = release(cluster, "db-service", "2.0.0", changes);
    await load.during("migration refused", async () => {
      await cluster.kubectl("set", "image", "deployment/db-service", `db-service=${reference}`);
      const pod = await eventually(
        async () => {
          const pods = await cluster.objects("pods", "-l", "app=db-service");
          const found = pods.find(
            ({ spec, status }) =>
              spec.containers[0].image === reference && status.containerStatuses?.[0]?.restartCount > 0,
          );
          assert.ok(found);
          return found.metadata.name;
        },
        ...patience,
      );
      const log = await cluster.kubectl("logs", pod, "--previous");
      assert.match(log, /migration 4 \(no phone numbers\) loses data; set ALLOW_DESTRUCTIVE_MIGRATIONS=4 to consent/);
      const [deployment] = await cluster.objects("deployments", "--field-selector", "metadata.name=db-service");
      assert.deepEqual([deployment.status.updatedReplicas, deployment.status.availableReplicas], [1, 2]);
      assert.deepEqual(await cluster.inside("db-service", count), [1, 2, 3]);
    });
    await load.during("migration with consent", async () => {
      await cluster.kubectl("set", "env", "deployment/db-service", "ALLOW_DESTRUCTIVE_MIGRATIONS=4");
      await complete(cluster, "db-service");
      assert.deepEqual(await cluster.inside("db-service", count), [1, 2, 3, 4]);
    });
  });
}
