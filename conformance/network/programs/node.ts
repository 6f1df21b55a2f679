import { places, type Program } from "./program.ts";

const server = `
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");
createServer((request, response) => {
  response.end(request.url === "/peer" ? request.socket.remoteAddress.replace("::ffff:", "") : readFileSync(process.env.SITE + "/index.html"));
}).listen(Number(process.env.PORT));`;

export const node: Program = {
  name: "Node",
  protocol: "http",
  missing: () => undefined,
  serve: ({ port }) => ({ argv: [places.node, "-e", server], env: { PORT: String(port), SITE: places.site } }),
  reachUpstream: (upstream) => [places.node, `${places.client}/client.mjs`, "http", upstream, "80", "/"],
};
