// Gives the database role the password of this pod's settings, where it still has the other one: `node src/change-password.ts` in a pod of db-service,
// once all of them know both. What it sends is a verifier, so that no log of the database can hold a password.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { Client } from "pg";
import { withPassword } from "./connections.ts";
import { readConfiguration } from "./configuration.ts";
import { isWrongPassword } from "./database-errors.ts";

const iterations = 4096;

/** RFC 5803, as PostgreSQL stores it in pg_authid.rolpassword. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, 32, "sha256");
  const keyOf = (name: string) => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${keyOf("Server Key").toString("base64")}`;
}

async function connect(password: string): Promise<Client | undefined> {
  const client = new Client(withPassword(pool, password));
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (isWrongPassword(error)) return undefined;
    throw error;
  }
}

const { pool, passwords } = readConfiguration();
const [wanted = "", other] = passwords;
const already = await connect(wanted);
if (already) {
  await already.end();
  console.log("the role has this password already");
} else {
  const client = other === undefined ? undefined : await connect(other);
  if (!client) {
    console.error("the database takes neither POSTGRES_PASSWORD nor POSTGRES_OTHER_PASSWORD of the Secret");
    process.exit(1);
  }
  await client.query(`alter role current_user password ${client.escapeLiteral(scramVerifier(wanted))}`);
  await client.end();
  console.log("the role has the new password");
}
