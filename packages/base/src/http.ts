/**
 * node:http, for whoever calls its functions; types come from `node:http` as ever. Imported by name it takes some 50 ms and 5 MB more: the facade that an
 * ES module sees reads each export at once, and `WebSocket` is a getter that loads all of undici (lib/http.js).
 */
export const http = process.getBuiltinModule("node:http");
