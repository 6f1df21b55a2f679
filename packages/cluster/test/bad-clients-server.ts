// An API server as the control plane opens it, alone in a process, for bad-clients.test.ts: the folder and the socket are its arguments.
import { createApiServer } from "@dhow/apiserver";
import { loadPki } from "../src/pki.ts";
import { serveApi } from "../src/control-plane/http-server.ts";

const [folder = "", socket = ""] = process.argv.slice(2);
const pki = await loadPki(folder, Date.now());
const api = await createApiServer({
  tokens: [{ token: "administrator", user: { name: "admin", groups: ["system:masters"] } }],
});
const tls = { certificate: pki.serverCertificate, key: pki.serverKey, ca: pki.ca };
serveApi(api, tls).listen(socket, () => process.send?.("ready"));
process.on("disconnect", () => process.exit(0));
