// Runs in a pod and prints, as JSON, what it can do with what it finds there: what comes of each request to the API, of each connection, of each look at files.
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";

const account = "/var/run/secrets/kubernetes.io/serviceaccount";
const { PROBED_NODES = "", PROBED_PORTS = "", OTHER = "", HOSTNAME = "" } = process.env;
const token = readFileSync(`${account}/token`, "utf8");
const ca = readFileSync(`${account}/ca.crt`, "utf8");
const nodes = PROBED_NODES.split(",");
const ports = PROBED_PORTS.split(",").map(Number);

function ask(method, path, { body, headers = {}, anonymous = false } = {}) {
  return new Promise((resolve) => {
    const proof = anonymous ? {} : { authorization: `Bearer ${token}` };
    const asked = request(
      {
        host: process.env.KUBERNETES_SERVICE_HOST,
        port: process.env.KUBERNETES_SERVICE_PORT,
        servername: "kubernetes.default.svc",
        ca,
        method,
        path,
        headers: { "content-type": "application/json", ...proof, ...headers },
        timeout: 10_000,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", (error) => resolve(error.code ?? error.message));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function reach(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (how) => {
      socket.destroy();
      resolve(how);
    };
    socket.once("connect", () => end("connected"));
    socket.once("timeout", () => end("ETIMEDOUT"));
    socket.once("error", ({ code }) => end(code));
  });
}

const review = (group, kind, spec) => ({ apiVersion: `${group}/v1`, kind, spec });
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "made" },
  spec: { containers: [{ name: "a", image: "busybox:1.37" }] },
};
const masters = { headers: { "impersonate-user": "admin", "impersonate-group": "system:masters" } };
const frontProxy = { anonymous: true, headers: { "x-remote-user": "admin", "x-remote-group": "system:masters" } };
const subjectAccess = review("authorization.k8s.io", "SubjectAccessReview", {
  user: "admin",
  nonResourceAttributes: { path: "/", verb: "get" },
});
const selfAccess = review("authorization.k8s.io", "SelfSubjectAccessReview", {
  nonResourceAttributes: { path: "/", verb: "get" },
});

const api = {
  "its secrets": await ask("GET", "/api/v1/namespaces/inside/secrets"),
  "a secret of its own": await ask("GET", "/api/v1/namespaces/inside/secrets/mine"),
  "secrets of another namespace": await ask("GET", "/api/v1/namespaces/kube-system/secrets"),
  "all secrets": await ask("GET", "/api/v1/secrets?watch=1"),
  "its pods": await ask("GET", "/api/v1/namespaces/inside/pods"),
  itself: await ask("GET", `/api/v1/namespaces/inside/pods/${HOSTNAME}`),
  "another pod, made": await ask("POST", "/api/v1/namespaces/inside/pods", { body: pod }),
  "another pod, deleted": await ask("DELETE", `/api/v1/namespaces/inside/pods/${OTHER}`),
  "a program in another pod": await ask("POST", `/api/v1/namespaces/inside/pods/${OTHER}/exec?command=id`),
  "words of another pod": await ask("GET", `/api/v1/namespaces/inside/pods/${OTHER}/log`),
  "another token of itself": await ask("POST", "/api/v1/namespaces/inside/serviceaccounts/default/token", {
    body: review("authentication.k8s.io", "TokenRequest", {}),
  }),
  "whose its token is": await ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    body: review("authentication.k8s.io", "TokenReview", { token }),
  }),
  "what others may": await ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { body: subjectAccess }),
  "what it may itself": await ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    body: selfAccess,
  }),
  "rights of its own": await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    body: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "mine" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "ServiceAccount", namespace: "inside", name: "default" }],
    },
  }),
  "as an administrator": await ask("GET", "/api/v1/secrets", masters),
  "as whom a proxy names": await ask("GET", "/api/v1/secrets", frontProxy),
  "as nobody": await ask("GET", "/api/v1/secrets", { anonymous: true }),
  "the kubelet, through the API": await ask("GET", `/api/v1/nodes/node-1/proxy/pods`),
  "a restart, through the API": await ask("POST", `/api/v1/nodes/node-1/proxy/restart/inside/${OTHER}/probe`),
  "the nodes": await ask("GET", "/api/v1/nodes"),
  "the metrics of the API": await ask("GET", "/metrics"),
  "the version": await ask("GET", "/version"),
};

const open = {};
const places = ["127.0.0.1", ...nodes, "10.96.0.1", "169.254.169.254", "192.0.2.1"];
await Promise.all(
  places.flatMap((host) =>
    ports.map(async (port) => {
      const how = await reach(host, port);
      if (how === "connected") (open[host] ??= []).push(port);
    }),
  ),
);

/** Everything that can be seen of the file system, but not what the kernel shows there. */
function* filesBelow(folder) {
  let entries = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {}
  for (const entry of entries) {
    const path = `${folder === "/" ? "" : folder}/${entry.name}`;
    if (/^\/(?:proc|sys|dev|usr)$/.test(path)) continue;
    yield { path, entry };
    if (entry.isDirectory() && !entry.isSymbolicLink()) yield* filesBelow(path);
  }
}
const telling = [...filesBelow("/")].filter(
  ({ path, entry }) =>
    entry.isSocket() ||
    /(?:^\/look\/look\.mjs$|\.dhow\b|\.sqlite|\.db(?:-wal)?$|ca\.key|admin\.token|agent\.token|kubeconfig)/.test(path),
);

console.log(JSON.stringify({ api, open, files: telling.map(({ path }) => path) }));
