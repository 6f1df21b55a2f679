import { createHash } from "node:crypto";
import type { RunnableImage } from "../images.ts";
import { nodeMount, nodeProgram, ordinaryUser, podPath } from "../programs.ts";
import { hostProgramImage } from "./host-program.ts";

/** The official images run their own user, whose number programs may rely on. */
const redisUser = 999;
const nginxUser = 101;

/** Redis, by whichever of the two servers is installed: both speak the same protocol. */
export function redisImage(reference: string): RunnableImage {
  const names = reference.includes("valkey") ? ["valkey-server", "redis-server"] : ["redis-server", "valkey-server"];
  return hostProgramImage({
    reference,
    names,
    install: "apt-get install redis-server",
    // As in the official image: only flags, or another program, may follow; pods are reached from outside their loopback.
    entrypoint: (program) => ["/bin/sh", "-c", redisEntrypoint, program],
    command: [],
    workingDirectory: "/data",
    user: redisUser,
  });
}

const redisEntrypoint = `
case "\${1:-}" in
  redis-server|valkey-server) shift ;;
  redis-*|valkey-*|sh|/*) exec "$@" ;;
esac
exec "$0" --protected-mode no --bind 0.0.0.0 --dir /data "$@"`;

/** nginx in the foreground. It logs to the container's own streams; a configuration that is mounted at /etc/nginx is used, else the host's. */
export function nginxImage(reference: string): RunnableImage {
  return hostProgramImage({
    reference,
    names: ["nginx"],
    install: "apt-get install nginx-light",
    entrypoint: () => ["/bin/sh", "-c", nginxEntrypoint, "nginx"],
    command: [],
    user: nginxUser,
  });
}

/** The host's own configuration wants to write where a pod may not: without a mounted one, a plain server of /usr/share/nginx/html on port 80. */
const nginxEntrypoint = `
case "\${1:-}" in
  nginx) shift ;;
  "") ;;
  -*) ;;
  *) exec "$@" ;;
esac
if grep -q ' /etc/nginx\\(/nginx.conf\\)\\? ' /proc/self/mounts; then
  exec nginx -e /dev/stderr -c /etc/nginx/nginx.conf -g 'daemon off;' "$@"
fi
mkdir -p /tmp/nginx
cat > /tmp/nginx/nginx.conf <<'END'
pid /tmp/nginx/nginx.pid;
error_log /dev/stderr;
events { worker_connections 1024; }
http {
  types { text/html html htm; text/css css; text/javascript js; application/json json; image/svg+xml svg; image/png png; }
  default_type application/octet-stream;
  access_log /dev/stdout;
  client_body_temp_path /tmp/nginx/body; proxy_temp_path /tmp/nginx/proxy; fastcgi_temp_path /tmp/nginx/fastcgi;
  uwsgi_temp_path /tmp/nginx/uwsgi; scgi_temp_path /tmp/nginx/scgi;
  sendfile on;
  include /etc/nginx/conf.d/*.conf;
  server { listen 80 default_server; root /usr/share/nginx/html; }
}
END
exec nginx -e /dev/stderr -c /tmp/nginx/nginx.conf -g 'daemon off;' "$@"`;

/** A shell and the machine's own tools, for what is usually done with busybox, alpine or debian. */
export function toolsImage(reference: string): RunnableImage {
  return hostProgramImage({
    reference,
    names: ["sh"],
    install: "apt-get install dash coreutils",
    entrypoint: () => [],
    command: ["sh"],
    user: 0,
  });
}

export function pythonImage(reference: string): RunnableImage {
  return hostProgramImage({
    reference,
    names: ["python3"],
    install: "apt-get install python3",
    entrypoint: () => [],
    command: ["python3"],
    env: { PYTHONUNBUFFERED: "1" },
    user: 0,
  });
}

/** The Node that runs the agent. */
export function nodeImage(_reference: string): RunnableImage {
  return {
    root: "host",
    mounts: [nodeMount],
    entrypoint: [],
    command: [nodeProgram],
    env: { PATH: podPath, HOME: "/tmp", NODE_VERSION: process.versions.node },
    workingDirectory: "/",
    user: ordinaryUser,
    group: ordinaryUser,
    digest: `sha256:${createHash("sha256").update(`node ${process.version}`).digest("hex")}`,
  };
}

/** The image whose containers only wait, as the pause image of a real node. */
export function pauseImage(reference: string): RunnableImage {
  return hostProgramImage({
    reference,
    names: ["sleep"],
    install: "apt-get install coreutils",
    entrypoint: (program) => [program, "infinity"],
    command: [],
    user: 65_535,
  });
}
