import { existsSync } from "node:fs";
import { places, type Program } from "./program.ts";

const python = "/usr/bin/python3";

/** http.server writes its peers' addresses into its log. */
const server = `
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/peer":
            return super().do_GET()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
    def __init__(self, *arguments):
        super().__init__(*arguments, directory=sys.argv[2])
http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[1])), Handler).serve_forever()`;

const client = `
import sys, urllib.request
print(urllib.request.urlopen("http://" + sys.argv[1] + "/", timeout=5).read().decode())`;

export const pythonServer: Program = {
  name: "Python http.server",
  protocol: "http",
  missing: () => (existsSync(python) ? undefined : `${python} is not installed`),
  serve: ({ port, address }) => ({ argv: [python, "-c", server, String(port), places.site, address] }),
  reachUpstream: (upstream) => [python, "-c", client, upstream],
};
