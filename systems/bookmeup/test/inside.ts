// Programs that tests run inside of pods: each prints JSON.
/** Makes two hundred customers, and prints their access tokens. */
export const people = `
import { accessToken, createDataClient, signingKey } from "@bookmeup/contract";
import { SignJWT } from "jose/jwt/sign";
const data = createDataClient({ url: process.env.DB_SERVICE_URL });
const key = signingKey(process.env.JWT_SECRET_KEY);
const tokens = await Promise.all(Array.from({ length: 200 }, async (_, index) => {
  const email = crypto.randomUUID() + "@example.org";
  const user = await data.createUser({ body: { email, name: "Customer " + index, passwordHash: "none" } });
  return new SignJWT().setProtectedHeader({ alg: accessToken.algorithm, kid: key.id }).setSubject(user.id)
    .setIssuer(accessToken.issuer).setAudience(accessToken.audience).setExpirationTime("5 min").sign(key.secret);
}));
console.log(JSON.stringify(tokens));`;

export const ports = { "auth-service": 5001, "logic-service": 5002, "db-service": 5003, postgres: 5432, adminer: 8080 };

/** Says of each service what becomes of a connection to it: open, the error's code, or nothing for two seconds. */
export const connections = `
import { connect } from "node:net";
const result = await Promise.all(Object.entries(${JSON.stringify(ports)}).map(([host, port]) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 2000 });
  const end = (how) => { socket.destroy(); resolve([host, how]); };
  socket.on("connect", () => end("open")).on("error", (error) => end(error.code)).on("timeout", () => end("silence"));
})));
console.log(JSON.stringify(Object.fromEntries(result)));`;
