import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import type { Ingress } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, type Sketch, type Trial } from "../fact.ts";
import { service, web } from "./web.ts";

const onTraefik = "Traefik, the ingress controller of the real cluster,";
const ingress = (
  host: string,
  paths: object[],
  more: object = {},
  annotations: Record<string, string> = {},
  name = "web",
): Sketch => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    name,
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
    ),
  },
  spec: { ingressClassName: "nginx", rules: [{ host, http: { paths } }], ...more },
});
const path = (path: string, pathType: string, name: string, port: object = { number: 80 }) => ({
  path,
  pathType,
  backend: { service: { name, port } },
});
/** A pod and its service. */
const behind = (name: string) => [
  web(name, { app: name }),
  service(name, name, { ports: [{ name: "web", port: 80, targetPort: "http" }] }),
];
const hostOf = (t: Trial) => `${t.namespace}.example`;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
  /** The name in the certificate that was shown. */
  readonly subject: string | undefined;
}

function ask(base: string, host: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const secure = base.startsWith("https:");
  return new Promise((resolve, reject) => {
    const options = {
      headers: { host, ...headers },
      timeout: 5000,
      servername: host,
      rejectUnauthorized: false,
      agent: false,
    };
    const sent = (secure ? tlsRequest : plainRequest)(`${base}${path}`, options, (answer) => {
      let text = "";
      const subject = secure ? (answer.socket as TLSSocket).getPeerCertificate().subject?.CN : undefined;
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, text, location: answer.headers.location, subject: String(subject) }),
      );
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer in 5 s")));
    sent.on("error", reject).end();
  });
}

/** Which pod answers, or the status where none does. */
async function through(t: Trial, host: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { status, text } = await ask(t.target.ingress, host, path, headers);
  return status === 200 ? (text.split(" ")[0] ?? "") : String(status);
}
const leads = (t: Trial, host: string, path: string, name: string, headers: Record<string, string> = {}) =>
  eventually(async () => (await through(t, host, path, headers)) === name);

facts("Ingress", () => {
  fact("an ingress leads to services by host and path, the longest prefix first", async (t) => {
    const host = hostOf(t);
    await t.create(
      ...behind("root"),
      ...behind("api"),
      ingress(host, [path("/", "Prefix", "root"), path("/api", "Prefix", "api")]),
    );
    await Promise.all(["root", "api"].map((name) => t.ready(name)));
    await Promise.all([leads(t, host, "/", "root"), leads(t, host, "/api", "api")]);
    assert.equal(await through(t, host, "/api/more"), "api");
    assert.equal(await through(t, host, "/apis"), "root");
    assert.equal(await through(t, host, "/"), "root");
    assert.equal(await through(t, `other-${host}`, "/"), "404");
  });

  fact("a path of type Exact is that path only", async (t) => {
    const host = hostOf(t);
    await t.create(...behind("exact"), ingress(host, [path("/exact", "Exact", "exact")]));
    await t.ready("exact");
    await leads(t, host, "/exact", "exact");
    assert.deepEqual(
      [await through(t, host, "/exact/more"), await through(t, host, "/exact/"), await through(t, host, "/other")],
      ["404", "404", "404"],
    );
    assert.equal(await through(t, host, "/exact?query=1"), "exact");
  });

  fact(
    "an exact path of an ingress goes before a prefix",
    async (t) => {
      const host = hostOf(t);
      await t.create(
        ...behind("root"),
        ...behind("exact"),
        ingress(host, [path("/", "Prefix", "root"), path("/exact", "Exact", "exact")]),
      );
      await Promise.all(["root", "exact"].map((name) => t.ready(name)));
      await leads(t, host, "/exact", "exact");
      await leads(t, host, "/exact/more", "root");
    },
    { onlyEmbedded: `${onTraefik} lets the prefix win` },
  );

  fact("a wildcard host is any one label, and a host of its own goes before it", async (t) => {
    const host = hostOf(t);
    await t.create(
      ...behind("any"),
      ...behind("own"),
      ingress(`*.${host}`, [path("/", "Prefix", "any")]),
      ingress(`own.${host}`, [path("/", "Prefix", "own")], {}, {}, "own"),
    );
    await Promise.all(["any", "own"].map((name) => t.ready(name)));
    await Promise.all([leads(t, `some.${host}`, "/", "any"), leads(t, `own.${host}`, "/", "own")]);
    assert.equal(await through(t, host, "/"), "404");
    assert.equal(await through(t, `two.labels.${host}`, "/"), "404");
  });

  fact("a service's port may be said by its name, and each host has its own paths", async (t) => {
    const host = hostOf(t);
    const rules = ["a", "b"].map((name) => ({
      host: `${name}.${host}`,
      http: { paths: [path("/", "Prefix", name, { name: "web" })] },
    }));
    await t.create(...behind("a"), ...behind("b"), ingress(host, [], { rules }));
    await Promise.all(["a", "b"].map((name) => t.ready(name)));
    await Promise.all(["a", "b"].map((name) => leads(t, `${name}.${host}`, "/", name)));
  });

  fact("a service without a ready pod is answered for with 503, until there is one", async (t) => {
    const host = hostOf(t);
    await t.create(service("late", "late"), ingress(host, [path("/", "Prefix", "late")]));
    await leads(t, host, "/", "503");
    await t.create(web("late", { app: "late" }));
    await leads(t, host, "/", "late");
  });

  fact("what is taken away is no longer led to", async (t) => {
    const host = hostOf(t);
    await t.create(...behind("root"), ingress(host, [path("/", "Prefix", "root")]));
    await t.ready("root");
    await leads(t, host, "/", "root");
    await t.kubectl.run`delete ingress web`;
    await leads(t, host, "/", "404");
  });

  fact(
    "an ingress of the class of another controller is left alone; without a class it gets the default one",
    async (t) => {
      const host = hostOf(t);
      const name = t.namespace;
      await t.client.create({
        apiVersion: "networking.k8s.io/v1",
        kind: "IngressClass",
        metadata: { name },
        spec: { controller: "example.org/none" },
      });
      try {
        const classless = ingress(`two.${host}`, [path("/", "Prefix", "root")], { ingressClassName: null }, {}, "two");
        await t.create(
          ...behind("root"),
          ingress(`one.${host}`, [path("/", "Prefix", "root")], { ingressClassName: name }),
        );
        assert.equal((await t.create<Ingress>(classless)).spec?.ingressClassName, "nginx");
        await t.ready("root");
        await leads(t, `two.${host}`, "/", "root");
        assert.equal(await through(t, `one.${host}`, "/"), "404");
      } finally {
        await t.client.delete({ apiVersion: "networking.k8s.io/v1", kind: "IngressClass", name });
      }
    },
  );

  fact("a pod is told who asks, by which host and over which scheme", async (t) => {
    const host = hostOf(t);
    const script = "require('http').createServer((q,s)=>s.end('told '+JSON.stringify(q.headers))).listen(8080)";
    await t.create(
      web("told", { app: "told" }, { container: { command: ["node", "-e", script] } }),
      service("told", "told"),
      ingress(host, [path("/", "Prefix", "told")]),
    );
    await t.ready("told");
    await leads(t, host, "/", "told");
    const { text } = await ask(t.target.ingress, host, "/");
    const headers = JSON.parse(text.slice("told ".length)) as Record<string, string>;
    assert.deepEqual(
      [headers["host"], headers["x-forwarded-proto"], headers["x-forwarded-host"]],
      [host, "http", host],
    );
    assert.match(headers["x-forwarded-for"] ?? "", /^[\d.]+$/);
    assert.equal(headers["x-real-ip"], headers["x-forwarded-for"]);
  });

  fact("the certificate of a host's secret is shown, and plain HTTP is sent to HTTPS", async (t) => {
    const host = hostOf(t);
    const file = (name: string) => join(t.target.home, `${t.namespace}.${name}`);
    const subject = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync("openssl", [...words, ...subject, "-keyout", file("key"), "-out", file("crt")], { stdio: "ignore" });
    const data = Object.fromEntries(
      ["key", "crt"].map((name) => [`tls.${name}`, readFileSync(file(name)).toString("base64")]),
    );
    await t.create(
      { apiVersion: "v1", kind: "Secret", metadata: { name: "certificate" }, type: "kubernetes.io/tls", data },
      ...behind("root"),
      ingress(host, [path("/", "Prefix", "root")], { tls: [{ hosts: [host], secretName: "certificate" }] }),
    );
    await t.ready("root");
    const secured = await eventually(async () => {
      const answer = await ask(t.target.ingressTls, host, "/");
      return answer.status === 200 && answer.subject === host ? answer : undefined;
    });
    assert.match(secured.text, /^root /);
    const { status, location } = await ask(t.target.ingress, host, "/path?query=1");
    assert.equal(status, 308);
    assert.match(location ?? "", new RegExp(`^https://${host}(:\\d+)?/path\\?query=1$`));
  });

  fact("ssl-redirect: false leaves plain HTTP alone", async (t) => {
    const host = hostOf(t);
    await t.create(
      ...behind("root"),
      ingress(
        host,
        [path("/", "Prefix", "root")],
        { tls: [{ hosts: [host], secretName: "none" }] },
        { "ssl-redirect": "false" },
      ),
    );
    await t.ready("root");
    await leads(t, host, "/", "root");
  });

  fact("rewrite-target puts what the pattern caught in the place of the path", async (t) => {
    const host = hostOf(t);
    const more = { "use-regex": "true", "rewrite-target": "/$2" };
    await t.create(...behind("api"), ingress(host, [path("/api(/|$)(.*)", "ImplementationSpecific", "api")], {}, more));
    await t.ready("api");
    await leads(t, host, "/api", "api");
    const asked = async (path: string) => (await ask(t.target.ingress, host, path)).text.split(" ")[2];
    assert.deepEqual(
      [await asked("/api"), await asked("/api/orders/7"), await asked("/api/?a=b")],
      ["/", "/orders/7", "/?a=b"],
    );
    assert.equal(await through(t, host, "/apis"), "404");
  });

  fact("a canary gets its weight of the requests, and all that carry its header", async (t) => {
    const host = hostOf(t);
    const canary = { canary: "true", "canary-weight": "0", "canary-by-header": "x-canary" };
    await t.create(
      ...behind("stable"),
      ...behind("canary"),
      ingress(host, [path("/", "Prefix", "stable")]),
      ingress(host, [path("/", "Prefix", "canary")], {}, canary, "canary"),
    );
    await Promise.all(["stable", "canary"].map((name) => t.ready(name)));
    await Promise.all([leads(t, host, "/", "stable"), leads(t, host, "/", "canary", { "x-canary": "always" })]);
    for (let index = 0; index < 10; index += 1) assert.equal(await through(t, host, "/"), "stable");
    await t.kubectl.run`annotate ingress canary --overwrite nginx.ingress.kubernetes.io/canary-weight=100`;
    await leads(t, host, "/", "canary");
    for (let index = 0; index < 10; index += 1) assert.equal(await through(t, host, "/"), "canary");
    assert.equal(await through(t, host, "/", { "x-canary": "never" }), "stable");
  });

  fact("an upgraded connection is carried both ways", async (t) => {
    const host = hostOf(t);
    const script =
      "const s=require('http').createServer((q,r)=>r.end('plain '));s.on('upgrade',(q,c)=>{c.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n');c.on('data',(d)=>c.write('echo '+d))});s.listen(8080)";
    await t.create(
      web("echo", { app: "echo" }, { container: { command: ["node", "-e", script] } }),
      service("echo", "echo"),
      ingress(host, [path("/", "Prefix", "echo")]),
    );
    await t.ready("echo");
    await leads(t, host, "/", "plain");
    const said = await new Promise<string>((resolve, reject) => {
      const headers = { host, connection: "upgrade", upgrade: "echo" };
      const sent = plainRequest(`${t.target.ingress}/`, { headers, timeout: 5000 });
      sent.on("upgrade", (_, socket) => {
        socket.on("data", (data: Buffer) => {
          resolve(data.toString());
          socket.destroy();
        });
        socket.write("hello");
      });
      sent.on("response", ({ statusCode }) => reject(new Error(`answered ${statusCode}`)));
      sent.on("error", reject).end();
    });
    assert.equal(said, "echo hello");
  });
});
