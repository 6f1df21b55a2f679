import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, isReady, nodeImage, shellPod, type Sketch, type Trial } from "../fact.ts";

/** A program for node:24 that speaks gRPC's health protocol on port 50051: SERVING until somebody makes /tmp/sick; the service `other` is not known. */
const health = `
const http2 = require("node:http2"); const fs = require("node:fs");
http2.createServer().on("stream", (stream) => {
  const pieces = [];
  stream.on("data", (piece) => pieces.push(piece)).on("end", () => {
    const body = Buffer.concat(pieces).subarray(5);
    const service = body.length > 2 ? body.subarray(2).toString() : "";
    const code = service === "other" ? "5" : "0";
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": code }));
    stream.end(code === "0" ? Buffer.from([0, 0, 0, 0, 2, 8, fs.existsSync("/tmp/sick") ? 2 : 1]) : "");
  });
}).listen(50051);`;

function grpcPod(name: string, probe: object) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "main",
          image: nodeImage,
          command: ["node", "-e", health],
          readinessProbe: { periodSeconds: 1, failureThreshold: 1, ...probe },
        },
      ],
    },
  };
}

const has = (program: string) => spawnSync(program, ["--version"]).status === 0;

facts("a node", () => {
  fact("a gRPC probe asks the health service, and heeds what it answers", async (t) => {
    await t.create(grpcPod("one", { grpc: { port: 50051 } }));
    await t.ready("one");
    await t.kubectl.run`exec one -- node -e ${'require("node:fs").writeFileSync("/tmp/sick","")'}`;
    await eventually(async () => !isReady(await t.pod("one")) || undefined);
    await eventually(async () => {
      const text = await t.kubectl.run`events --for pod/one`;
      return text.includes('Readiness probe failed: service unhealthy (responded with "NOT_SERVING")') || undefined;
    });
  });

  fact("a gRPC probe names the service it is about", async (t) => {
    await t.create(grpcPod("one", { grpc: { port: 50051, service: "other" } }));
    await eventually(async () => {
      const text = await t.kubectl.run`events --for pod/one`;
      return /Readiness probe failed: .*/.test(text) || undefined;
    }, 30_000);
    assert.equal(isReady(await t.pod("one")), false);
  });

  fact(
    "a pod that asks for what the node has not waits, and says what to write instead",
    async (t) => {
      await t.create(shellPod("one", idle, { spec: { hostNetwork: true } }));
      const row = await eventually(async () => {
        const text = await t.kubectl.run`get pod one --no-headers`;
        return text.includes("NotSupported") ? text : undefined;
      });
      assert.match(row, /0\/1 +HostNetworkNotSupported/);
      assert.match(await t.kubectl.run`describe pod one`, /hostNetwork is not supported: .*use a Service/);
    },
    { onlyEmbedded: "a real node gives its own network, processes and rights to whoever may have them" },
  );

  fact("redis is this machine's server, reached through a Service", (t) => store(t), {
    onlyEmbedded: "the real cluster beside the checkout has no image of it",
    lacking: has("redis-server") || has("valkey-server") ? undefined : "needs redis-server",
  });

  fact("postgres ends where a script of /docker-entrypoint-initdb.d fails, and says which and why", failing, {
    onlyEmbedded: "the real cluster beside the checkout has no image of it",
  });

  fact("postgres runs what lies in /docker-entrypoint-initdb.d once", (t) => initialized(t), {
    onlyEmbedded: "the real cluster beside the checkout has no image of it",
  });
});

async function store(t: Trial): Promise<void> {
  const labels = { app: "store" };
  await t.create(
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "store" },
      spec: { selector: labels, ports: [{ port: 6379 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "store", labels },
      spec: {
        containers: [
          {
            name: "redis",
            image: "redis:8",
            args: ["--maxmemory", "16mb"],
            readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ],
        volumes: [{ name: "data", emptyDir: {} }],
      },
    },
  );
  await t.ready("store");
  const client = `
    const socket = require("node:net").connect(6379, "store");
    socket.write("SET boat dhow\\r\\nGET boat\\r\\nCONFIG GET maxmemory\\r\\nQUIT\\r\\n");
    socket.pipe(process.stdout);`;
  const containers = [{ name: "main", image: nodeImage, command: ["node", "-e", client] }];
  await t.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "client" },
    spec: { restartPolicy: "Never", containers },
  });
  assert.equal((await t.ended("client")).status?.phase, "Succeeded");
  const said = await t.kubectl.run`logs client`;
  assert.match(said, /\+OK\r\n\$4\r\ndhow\r\n/);
  assert.match(said, /16777216/);
}

/** A PostgreSQL that runs what the ConfigMap `init` holds when it is made. */
function database(spec: object, container: object = {}, env: readonly object[] = []): Sketch {
  const postgres = {
    name: "postgres",
    image: "postgres:18",
    env: [{ name: "POSTGRES_PASSWORD", value: "secret" }, ...env],
    volumeMounts: [
      { name: "data", mountPath: "/var/lib/postgresql" },
      { name: "init", mountPath: "/docker-entrypoint-initdb.d" },
    ],
    ...container,
  };
  const volumes = [
    { name: "data", emptyDir: {} },
    { name: "init", configMap: { name: "init" } },
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "base" },
    spec: { containers: [postgres], volumes, ...spec },
  };
}

async function failing(t: Trial): Promise<void> {
  await t.create(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "init" }, data: { "1.sql": "SELECT * FROM nowhere;\n" } },
    database({ restartPolicy: "Never" }),
  );
  assert.equal((await t.ended("base")).status?.phase, "Failed");
  assert.match(await t.kubectl.run`logs base`, /running .*1\.sql\n[^]*ERROR: +relation "nowhere" does not exist/);
}

async function initialized(t: Trial): Promise<void> {
  const sql = "CREATE TABLE boats (name text);\nINSERT INTO boats VALUES ('dhow');\n";
  const script = 'echo "script for $POSTGRES_DB" > "$PGDATA/script"\n';
  await t.create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "init" },
    data: { "10-boats.sql": sql, "30-script.sh": script, "readme.txt": "not run" },
    binaryData: { "20-more.sql.gz": gzipSync("INSERT INTO boats VALUES ('sambuk');\n").toString("base64") },
  });
  const probed = { readinessProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 } };
  await t.create(database({ terminationGracePeriodSeconds: 5 }, probed, [{ name: "POSTGRES_DB", value: "harbour" }]));
  await t.ready("base");
  const names = ["10-boats.sql", "20-more.sql.gz", "30-script.sh"];
  const log = await t.kubectl.run`logs base`;
  assert.deepEqual(
    [...log.matchAll(/^running \/docker-entrypoint-initdb\.d\/(.*)$/gm)].map(([, name]) => name),
    names,
  );
  assert.match(await t.kubectl.run`exec base -- sh -c ${'cat "$PGDATA/script"'}`, /script for harbour/);
  const query = "echo 'SELECT count(*), max(name) FROM boats' | postgres --single -j -D";
  await t.kubectl.run`exec base -- sh -c ${'cp -R "$PGDATA" /tmp/copy; rm -f /tmp/copy/postmaster.pid'}`;
  const rows = await t.kubectl.run`exec base -- sh -c ${`${query} /tmp/copy harbour`}`;
  assert.match(rows, /count = "2"/);
  assert.match(rows, /max = "sambuk"/);
}
