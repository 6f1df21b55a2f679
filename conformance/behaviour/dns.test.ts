import assert from "node:assert/strict";
import { eventually } from "@dhow/testkit";
import { byText, fact, facts, idle, nodeImage, shellPod, type Trial } from "../fact.ts";
import { evaluate, service, web } from "./web.ts";
import { allReady, workload } from "./workload.ts";

/** What a resolver call gives, or the code of its error: `resolve4('name')`. */
const dns = async (t: Trial, pod: string, call: string): Promise<unknown> =>
  JSON.parse(
    await evaluate(
      t,
      pod,
      `require('dns').promises.${call}.then((a)=>console.log(JSON.stringify(a)),(e)=>console.log(JSON.stringify(e.code)))`,
    ),
  );
const full = (t: Trial, name: string) => `${name}.${t.namespace}.svc.cluster.local`;
const sorted = (values: unknown) => (Array.isArray(values) ? values.map(String).sort(byText).join() : String(values));

facts("DNS", () => {
  fact(
    "a headless service's name is the addresses of its ready pods, and each pod with a subdomain has its own name",
    async (t) => {
      const named = { spec: { hostname: "first", subdomain: "group" } };
      const never = { container: { readinessProbe: { exec: { command: ["false"] } } } };
      await t.create(
        service("group", "web", { clusterIP: "None", ports: [{ port: 8080 }] }),
        web("one", { app: "web" }, named),
        web("two", { app: "web" }),
        web("late", { app: "web" }, never),
        web("client"),
      );
      const [first, second] = await Promise.all([t.ready("one"), t.ready("two"), t.ready("client")]);
      const both = [first.status?.podIP, second.status?.podIP].sort(byText).join();
      await eventually(async () => sorted(await dns(t, "client", `resolve4('${full(t, "group")}')`)) === both);
      await eventually(
        async () => sorted(await dns(t, "client", `resolve4('${full(t, "first.group")}')`)) === first.status?.podIP,
      );
      assert.equal(await dns(t, "client", `resolve4('${full(t, "none")}')`), "ENOTFOUND");
    },
  );

  fact("publishNotReadyAddresses names pods that are not ready", async (t) => {
    const never = { container: { readinessProbe: { exec: { command: ["false"] } } } };
    await t.create(
      service("group", "web", { clusterIP: "None", publishNotReadyAddresses: true }),
      web("late", { app: "web" }, never),
      web("client"),
    );
    await t.ready("client");
    const address = await eventually(async () => (await t.pod("late")).status?.podIP);
    await eventually(async () => sorted(await dns(t, "client", `resolve4('${full(t, "group")}')`)) === address);
  });

  fact("each pod of a stateful set has a name that stays when its address changes", async (t) => {
    await t.create(
      service("db", "db", { clusterIP: "None", ports: [{ port: 80 }] }),
      workload("StatefulSet", "db", 2),
      web("client"),
    );
    await Promise.all([allReady(t, "db", 2), t.ready("client")]);
    const agrees = () =>
      eventually(async () => {
        const { status } = await t.pod("db-1");
        return status?.podIP && sorted(await dns(t, "client", `resolve4('${full(t, "db-1.db")}')`)) === status.podIP;
      }, 40_000);
    await agrees();
    await t.kubectl.run`delete pod db-1`;
    await t.ready("db-1");
    await agrees();
    // By the search list of a pod of the same namespace the short form is enough.
    assert.equal(
      ((await dns(t, "client", "lookup('db-1.db')")) as { address?: string }).address,
      (await t.pod("db-1")).status?.podIP,
    );
  });

  fact("SRV records name the ports of a service, and of a headless one each pod", async (t) => {
    const ports = [{ name: "http", port: 80, targetPort: "http" }];
    await t.create(
      service("front", "web", { ports }),
      service("group", "web", { ports, clusterIP: "None" }),
      web("one", { app: "web" }, { spec: { hostname: "first", subdomain: "group" } }),
      web("client"),
    );
    await Promise.all([t.ready("one"), t.ready("client")]);
    const ask = (name: string) => dns(t, "client", `resolveSrv('${full(t, name)}')`);
    await eventually(async () => {
      const [record] = (await ask("_http._tcp.front")) as { name: string; port: number }[];
      return record?.name === full(t, "front") && record.port === 80;
    });
    await eventually(async () => {
      const [record] = (await ask("_http._tcp.group")) as { name: string; port: number }[];
      return record?.name === full(t, "first.group") && record.port === 8080;
    });
    assert.equal(await ask("_none._tcp.front"), "ENOTFOUND");
  });

  fact("the address of a service leads back to its name", async (t) => {
    await t.create(service("front", "web"), web("client"));
    await t.ready("client");
    const address = ((await t.get("v1", "Service", "front"))["spec"] as { clusterIP: string }).clusterIP;
    await eventually(async () => sorted(await dns(t, "client", `reverse('${address}')`)) === full(t, "front"));
  });

  fact("a name that there is has no IPv6 address, which is not the same as no name", async (t) => {
    await t.create(service("front", "web"), web("client"));
    await t.ready("client");
    await eventually(async () => Array.isArray(await dns(t, "client", `resolve4('${full(t, "front")}')`)));
    assert.equal(await dns(t, "client", `resolve6('${full(t, "front")}')`), "ENODATA");
    assert.equal(await dns(t, "client", `resolve6('${full(t, "none")}')`), "ENOTFOUND");
  });

  fact("an ExternalName service is an alias in DNS", async (t) => {
    const externalName = "kubernetes.default.svc.cluster.local";
    await t.create(web("client"), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "other" },
      spec: { type: "ExternalName", externalName },
    });
    await t.ready("client");
    await eventually(
      async () => sorted(await dns(t, "client", `resolveCname('${full(t, "other")}')`)) === externalName,
    );
    assert.equal(((await dns(t, "client", "lookup('other')")) as { address?: string }).address, "10.96.0.1");
  });

  fact("a pod asks the cluster's server, with the search list of its namespace and ndots:5", async (t) => {
    await t.create(shellPod("one", `cat /etc/resolv.conf; ${idle}`));
    await t.ready("one");
    const lines = (await t.kubectl.run`logs one`).trim().split("\n");
    const search = lines.find((line) => line.startsWith("search "))?.split(" ") ?? [];
    assert.deepEqual(search.slice(1, 4), [`${t.namespace}.svc.cluster.local`, "svc.cluster.local", "cluster.local"]);
    assert.ok(lines.includes("nameserver 10.96.0.10"), lines.join("\n"));
    assert.ok(lines.includes("options ndots:5"), lines.join("\n"));
  });

  fact("dnsConfig adds to what a pod asks, and is all of it with dnsPolicy None", async (t) => {
    const options = [{ name: "ndots", value: "2" }, { name: "single-request" }];
    const dnsConfig = { nameservers: ["10.96.0.10"], searches: ["example.org"], options };
    const once = { restartPolicy: "Never" };
    await t.create(
      shellPod("none", "cat /etc/resolv.conf", { spec: { ...once, dnsPolicy: "None", dnsConfig } }),
      shellPod("more", "cat /etc/resolv.conf", {
        spec: { ...once, dnsConfig: { searches: ["example.org"], options } },
      }),
    );
    await Promise.all([t.ended("none"), t.ended("more")]);
    // Options come in no particular order.
    const none = (await t.kubectl.run`logs none`).replace("single-request ndots:2", "ndots:2 single-request");
    assert.deepEqual(none.trim().split("\n").sort(), [
      "nameserver 10.96.0.10",
      "options ndots:2 single-request",
      "search example.org",
    ]);
    const more = (await t.kubectl.run`logs more`).trim().split("\n");
    assert.match(
      more.find((line) => line.startsWith("search ")) ?? "",
      /\.svc\.cluster\.local svc\.cluster\.local cluster\.local .*\bexample\.org$/,
    );
    assert.ok(
      more.some((line) => /^options (ndots:2 single-request|single-request ndots:2)$/.test(line)),
      more.join("\n"),
    );
  });

  fact("names are looked up over TCP as well, and in any case", async (t) => {
    await t.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "one" },
      spec: {
        restartPolicy: "Never",
        dnsConfig: { options: [{ name: "use-vc" }] },
        containers: [
          {
            name: "main",
            image: nodeImage,
            command: ["node", "-e", "require('dns').lookup('KuberneTES.default',(e,a)=>console.log(e?e.code:a))"],
          },
        ],
      },
    });
    await t.ended("one");
    assert.equal(await t.kubectl.run`logs one`, "10.96.0.1\n");
  });
});
