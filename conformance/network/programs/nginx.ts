import { existsSync } from "node:fs";
import { places, type Program } from "./program.ts";

const nginx = "/usr/sbin/nginx";

const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
  (name) => `${name}_temp_path ${places.data};`,
);

/** Its configuration names the upstream, which nginx resolves once, when it starts. */
function configuration(listen: string, upstream: string | undefined): string {
  return `
daemon off; pid ${places.data}/nginx.pid; error_log stderr;
events {}
http {
  access_log /dev/stdout; ${temporary.join(" ")}
  server {
    listen ${listen}; root ${places.site};
    location = /peer { return 200 $remote_addr; }
    ${upstream === undefined ? "" : `location = /upstream { proxy_pass http://${upstream}/; }`}
  }
}`;
}

export const nginxServer: Program = {
  name: "nginx",
  protocol: "http",
  missing: () => (existsSync(nginx) ? undefined : `${nginx} is not installed`),
  serve: ({ port, upstream, address }) => ({
    argv: [
      "sh",
      "-c",
      `printf %s "$CONFIGURATION" > ${places.data}/nginx.conf && exec ${nginx} -c ${places.data}/nginx.conf`,
    ],
    env: { CONFIGURATION: configuration(`${address}:${port}`, upstream) },
  }),
  reachUpstream: () => undefined,
};
