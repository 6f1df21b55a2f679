// Runs in pods: makes one request and prints `{ "answer": … }` or `{ "error": … }`.
// node client.mjs http|postgres HOST PORT PATH
import { get } from "node:http";

const [protocol, host, port, path] = process.argv.slice(2);
const patience = 5000;

function http() {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => (body += text));
      response.on("end", () => resolve(body));
    });
    request.setTimeout(patience, () => request.destroy(new Error("no answer")));
    request.on("error", reject);
  });
}

/** What HTTP servers tell by path, a database tells by query. */
const queries = {
  "/": "select 'PostgreSQL' as answer",
  "/peer": "select host(inet_client_addr()) as answer",
  "/upstream": `select answer from dblink('host=${host} port=${port} user=postgres dbname=postgres', $$select 'PostgreSQL'$$) as far(answer text)`,
};

async function postgres() {
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    host,
    port: Number(port),
    user: "postgres",
    database: "postgres",
    connectionTimeoutMillis: patience,
  });
  await client.connect();
  if (path === "/upstream") await client.query("create extension if not exists dblink");
  const { rows } = await client.query(queries[path]);
  await client.end();
  return rows[0].answer;
}

try {
  const answer = await (protocol === "http" ? http() : postgres());
  process.stdout.write(JSON.stringify({ answer }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: error.code ?? error.errors?.[0]?.code ?? error.message }));
}
