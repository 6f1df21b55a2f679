import assert from "node:assert/strict";
import type { EndpointSlice, KubeObject, Service } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, refusal, shellPod, type Sketch, type Trial } from "../fact.ts";
import { evaluate, reach, service, web } from "./web.ts";

const slicesOf = (t: Trial, name: string) =>
  t.list<EndpointSlice>("discovery.k8s.io/v1", "EndpointSlice", `kubernetes.io/service-name=${name}`);
const serviceOf = (t: Trial, name: string) => t.get<Service>("v1", "Service", name);
/** Who answers so many requests, each on a connection of its own. */
const answering = (t: Trial, from: string, url: string, count: number) =>
  evaluate(
    t,
    from,
    `(async()=>{const n=new Set();for(let i=0;i<${count};i++)n.add((await(await fetch('${url}',{headers:{connection:'close'}})).text()).split(' ')[0]);console.log([...n].sort().join())})()`,
  );
/** What a connection comes to: open, an error's code, or silence. */
const knock = (host: string, port = 8080) =>
  `require('net').connect(${port},'${host}').on('connect',()=>{console.log('open');process.exit()}).on('error',(e)=>{console.log(e.code);process.exit()}).setTimeout(2500,()=>{console.log('silence');process.exit()})`;

facts("Services", () => {
  fact("a service answers under its short, its namespace's and its full name, and by its address", async (t) => {
    await t.create(web("one", { app: "web" }), web("client"), service("front", "web"));
    await Promise.all([t.ready("one"), t.ready("client")]);
    const address = (await serviceOf(t, "front")).spec?.clusterIP ?? "";
    const names = [
      "front",
      `front.${t.namespace}`,
      `front.${t.namespace}.svc`,
      `front.${t.namespace}.svc.cluster.local`,
    ];
    for (const host of [...names, address]) assert.match(await reach(t, "client", `http://${host}/`), /^one /, host);
  });

  fact("a server sees the address of the pod that calls it", async (t) => {
    await t.create(web("one", { app: "web" }), web("client"), service("front", "web"));
    await t.ready("one");
    const { status } = await t.ready("client");
    assert.match(
      await reach(t, "client", "http://front/"),
      new RegExp(`^one (::ffff:)?${status?.podIP?.replaceAll(".", "\\.")} /$`),
    );
  });

  fact("a pod reaches itself through its own service", async (t) => {
    await t.create(web("one", { app: "web" }), service("front", "web"));
    await t.ready("one");
    assert.match(await reach(t, "one", "http://front/"), /^one /);
  });

  fact("requests are spread over all ready pods", async (t) => {
    await t.create(web("one", { app: "web" }), web("two", { app: "web" }), web("client"), service("front", "web"));
    await Promise.all(["one", "two", "client"].map((name) => t.ready(name)));
    await eventually(async () => (await answering(t, "client", "http://front/", 60)) === "one,two");
  });

  fact("the name of a target port may be another number in each pod", async (t) => {
    const other = {
      command: ["node", "-e", "require('http').createServer((q,s)=>s.end('two ')).listen(9090)"],
      ports: [{ name: "http", containerPort: 9090 }],
      readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 1 },
    };
    await t.create(
      web("one", { app: "web" }),
      web("two", { app: "web" }, { container: other }),
      web("client"),
      service("front", "web"),
    );
    await Promise.all(["one", "two", "client"].map((name) => t.ready(name)));
    await eventually(async () => (await answering(t, "client", "http://front/", 60)) === "one,two");
    const ports = (await slicesOf(t, "front")).map((slice) => slice.ports?.[0]?.port);
    assert.deepEqual(new Set(ports), new Set([8080, 9090]));
  });

  fact("where nobody is ready a connection is refused at once", async (t) => {
    await t.create(web("client"), service("front", "nobody"));
    await t.ready("client");
    const address = (await serviceOf(t, "front")).spec?.clusterIP ?? "";
    await eventually(async () => (await evaluate(t, "client", knock(address, 80))) === "ECONNREFUSED");
  });

  fact("several ports have names, and each leads where it says", async (t) => {
    const ports = [
      { name: "web", port: 80, targetPort: "http" },
      { name: "admin", port: 81, targetPort: 8080 },
    ];
    await t.create(web("one", { app: "web" }), web("client"), service("front", "web", { ports }));
    await Promise.all([t.ready("one"), t.ready("client")]);
    for (const port of [80, 81]) assert.match(await reach(t, "client", `http://front:${port}/`), /^one /);
    const nameless = await refusal(t.create(service("other", "web", { ports: [{ port: 80 }, { port: 81 }] })));
    assert.equal(
      nameless.message,
      'Service "other" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
    );
  });

  fact("UDP is carried as TCP is", async (t) => {
    const echo =
      "const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send('echo '+m,r.port,r.address));s.bind(5353)";
    const container = {
      command: ["node", "-e", echo],
      ports: [{ name: "udp", containerPort: 5353, protocol: "UDP" }],
      readinessProbe: null,
    };
    const ports = [{ name: "udp", port: 53, targetPort: "udp", protocol: "UDP" }];
    await t.create(web("one", { app: "web" }, { container }), web("client"), service("front", "web", { ports }));
    await Promise.all([t.ready("one"), t.ready("client")]);
    const ask =
      "const s=require('dgram').createSocket('udp4');s.on('message',(m)=>{console.log(String(m));process.exit()});setInterval(()=>s.send('hello',53,'front'),200);setTimeout(()=>process.exit(1),5000)";
    await eventually(async () => (await evaluate(t, "client", ask)) === "echo hello");
  });

  fact("endpoint slices hold the pods with their conditions", async (t) => {
    const ports = [{ name: "http", port: 80, targetPort: "http" }];
    await t.create(web("one", { app: "web" }), service("front", "web", { ports }));
    const { status, spec } = await t.ready("one");
    const [slice] = await eventually(async () => {
      const found = await slicesOf(t, "front");
      return found[0]?.endpoints?.[0]?.conditions?.ready ? found : undefined;
    });
    const [endpoint] = slice?.endpoints ?? [];
    assert.deepEqual(
      [endpoint?.addresses, endpoint?.nodeName, endpoint?.targetRef?.name, slice?.ports],
      [[status?.podIP], spec?.nodeName, "one", [{ name: "http", port: 8080, protocol: "TCP" }]],
    );
    assert.deepEqual(endpoint?.conditions, { ready: true, serving: true, terminating: false });
  });

  fact("a pod that ends is terminating but still serves in its slice, and is no longer ready", async (t) => {
    const script =
      "process.on('SIGTERM',()=>setTimeout(()=>process.exit(),4000));require('http').createServer((q,s)=>s.end('one ')).listen(8080)";
    const more = { container: { command: ["node", "-e", script] }, spec: { terminationGracePeriodSeconds: 20 } };
    await t.create(web("one", { app: "web" }, more), service("front", "web"));
    await t.ready("one");
    await t.kubectl.run`delete pod one --wait=false`;
    await eventually(async () => {
      const conditions = (await slicesOf(t, "front"))[0]?.endpoints?.[0]?.conditions;
      return conditions?.terminating && conditions.serving && conditions.ready === false;
    });
    await eventually(async () => ((await slicesOf(t, "front"))[0]?.endpoints ?? []).length === 0, 40_000);
  });

  fact("a service without a selector leads where a slice written by hand says", async (t) => {
    const selectorless = service("front", "none");
    selectorless["spec"] = { ports: [{ port: 80 }] };
    await t.create(web("one"), web("client"), selectorless);
    const [one] = await Promise.all([t.ready("one"), t.ready("client")]);
    await t.create({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "by-hand", labels: { "kubernetes.io/service-name": "front" } },
      addressType: "IPv4",
      ports: [{ port: 8080 }],
      endpoints: [{ addresses: [one.status?.podIP] }],
    });
    assert.match(await reach(t, "client", "http://front/"), /^one /);
  });

  fact("endpoints written by hand are mirrored to a slice, and go with their service", async (t) => {
    const selectorless = service("front", "none");
    selectorless["spec"] = { ports: [{ port: 80 }] };
    await t.create(selectorless, {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "front" },
      subsets: [
        { addresses: [{ ip: "192.0.2.7" }], notReadyAddresses: [{ ip: "192.0.2.8" }], ports: [{ port: 8080 }] },
      ],
    });
    const [slice] = await eventually(async () => {
      const found = await slicesOf(t, "front");
      return found.length > 0 ? found : undefined;
    });
    assert.equal(
      slice?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
      "endpointslicemirroring-controller.k8s.io",
    );
    assert.deepEqual(slice?.endpoints?.map(({ addresses, conditions }) => [addresses[0], conditions?.ready]).sort(), [
      ["192.0.2.7", true],
      ["192.0.2.8", false],
    ]);
    await t.kubectl.run`delete service front`;
    await eventually(async () => (await slicesOf(t, "front")).length === 0);
  });

  fact("sessionAffinity ClientIP keeps a client at one pod", async (t) => {
    await t.create(
      web("one", { app: "web" }),
      web("two", { app: "web" }),
      web("client"),
      service("front", "web", { sessionAffinity: "ClientIP" }),
    );
    await Promise.all(["one", "two", "client"].map((name) => t.ready(name)));
    await reach(t, "client", "http://front/");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.match(await answering(t, "client", "http://front/", 40), /^(one|two)$/);
    assert.equal((await serviceOf(t, "front")).spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds, 10800);
  });

  fact(
    "internalTrafficPolicy Local leads to pods of the caller's node, and nowhere where there are none",
    async (t) => {
      const nodes = (await t.client.list({ apiVersion: "v1", kind: "Node" })).items.map(
        ({ metadata }) => metadata.name,
      );
      const on = (nodeName: string | undefined) => ({ spec: { nodeName } });
      const [here, there] = nodes;
      await t.create(
        web("one", { app: "web" }, on(here)),
        web("near", {}, on(here)),
        service("front", "web", { internalTrafficPolicy: "Local" }),
      );
      if (there) await t.create(web("far", {}, on(there)));
      await Promise.all(["one", "near", ...(there ? ["far"] : [])].map((name) => t.ready(name)));
      assert.match(await reach(t, "near", "http://front/"), /^one /);
      // As a packet to a service without any endpoint of the node is dropped, there is no answer (pkg/proxy/nftables).
      if (there) assert.notEqual(await evaluate(t, "far", knock("front", 80)), "open");
    },
  );

  fact("variables name the services that were there before the pod", async (t) => {
    await t.create(service("front-door", "web"));
    const address = (await serviceOf(t, "front-door")).spec?.clusterIP ?? "";
    // The kubelet may hear of the service after the pod.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const script =
      "echo $FRONT_DOOR_SERVICE_HOST $FRONT_DOOR_SERVICE_PORT $FRONT_DOOR_PORT $FRONT_DOOR_PORT_80_TCP_ADDR $KUBERNETES_SERVICE_PORT_HTTPS";
    const once = { restartPolicy: "Never" };
    await t.create(
      shellPod("one", script, { spec: once }),
      shellPod("two", "echo [$FRONT_DOOR_SERVICE_HOST] $KUBERNETES_SERVICE_HOST", {
        spec: { ...once, enableServiceLinks: false },
      }),
    );
    await Promise.all([t.ended("one"), t.ended("two")]);
    assert.equal(await t.kubectl.run`logs one`, `${address} 80 tcp://${address}:80 ${address} 443\n`);
    assert.equal(await t.kubectl.run`logs two`, "[] 10.96.0.1\n");
  });
});

facts("addresses of Services", () => {
  const patch = (t: Trial, name: string, spec: object) =>
    t.client.patch<Service>({ apiVersion: "v1", kind: "Service", namespace: t.namespace, name }, "merge", { spec });
  const create = (t: Trial, sketch: Sketch) => t.create<KubeObject & Service>(sketch);

  fact("an address is the service's until it goes, and is not changed", async (t) => {
    const { spec } = await create(t, service("front", "web"));
    const address = spec?.clusterIP ?? "";
    const taken = await refusal(create(t, service("other", "web", { clusterIP: address })));
    assert.equal(
      taken.message,
      `Service "other" is invalid: spec.clusterIPs: Invalid value: ["${address}"]: failed to allocate IP ${address}: provided IP is already allocated`,
    );
    const moved = await refusal(patch(t, "front", { clusterIP: "10.96.200.200", clusterIPs: ["10.96.200.200"] }));
    assert.match(
      moved.message,
      /spec\.clusterIPs\[0\]: Invalid value: \["10\.96\.200\.200"\]: may not change once set/,
    );
    await t.kubectl.run`delete service front`;
    await eventually(() => create(t, service("again", "web", { clusterIP: address })));
  });

  fact("an address outside the range is refused", async (t) => {
    const said = await refusal(create(t, service("front", "web", { clusterIP: "192.0.2.7" })));
    assert.equal(
      said.message,
      'Service "front" is invalid: spec.clusterIPs: Invalid value: ["192.0.2.7"]: failed to allocate IP 192.0.2.7: the provided network does not match the current range',
    );
  });

  fact("a node port answers on the node", async (t) => {
    await t.create(web("one", { app: "web" }), service("front", "web", { type: "NodePort" }));
    await t.ready("one");
    const port = (await serviceOf(t, "front")).spec?.ports?.[0]?.nodePort;
    await eventually(async () =>
      (
        await (await fetch(`http://${t.target.nodeHost}:${port}/`, { signal: AbortSignal.timeout(2000) })).text()
      ).startsWith("one "),
    );
  });

  fact("a node port may be chosen, of its range, while nobody has it", async (t) => {
    const at = (nodePort: number) => ({ type: "NodePort", ports: [{ port: 80, nodePort }] });
    const { spec } = await create(t, service("any", "web", { type: "NodePort" }));
    const taken = spec?.ports?.[0]?.nodePort ?? 0;
    assert.ok(taken >= 30000 && taken <= 32767, String(taken));
    assert.equal(
      (await refusal(create(t, service("other", "web", at(taken))))).message,
      `Service "other" is invalid: spec.ports[0].nodePort: Invalid value: ${taken}: provided port is already allocated`,
    );
    assert.equal(
      (await refusal(create(t, service("other", "web", at(80))))).message,
      'Service "other" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  fact("a service may change its type, and gives back what the new one does not have", async (t) => {
    await create(t, service("front", "web", { type: "NodePort" }));
    const plain = await patch(t, "front", { type: "ClusterIP" });
    assert.equal(plain.spec?.ports?.[0]?.nodePort, undefined);
    const alias = await patch(t, "front", { type: "ExternalName", externalName: "example.org" });
    assert.deepEqual([alias.spec?.clusterIP, alias.spec?.clusterIPs], [undefined, undefined]);
  });

  fact("a service gets the defaults of a real cluster", async (t) => {
    const { spec } = await create(t, service("front", "web"));
    assert.deepEqual(
      [
        spec?.type,
        spec?.sessionAffinity,
        spec?.ipFamilies,
        spec?.ipFamilyPolicy,
        spec?.internalTrafficPolicy,
        spec?.externalTrafficPolicy,
      ],
      ["ClusterIP", "None", ["IPv4"], "SingleStack", "Cluster", undefined],
    );
    const { spec: door } = await create(t, service("door", "web", { type: "NodePort" }));
    assert.equal(door?.externalTrafficPolicy, "Cluster");
  });

  fact("a headless service has no address, and stays so", async (t) => {
    const { spec } = await create(t, service("group", "web", { clusterIP: "None" }));
    assert.deepEqual([spec?.clusterIP, spec?.clusterIPs], ["None", ["None"]]);
    assert.match((await refusal(patch(t, "group", { clusterIP: "10.96.200.201" }))).message, /may not change once set/);
  });
});

facts("NetworkPolicy", () => {
  const toWeb = (spec: object) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web" },
    spec: { podSelector: { matchLabels: { app: "web" } }, ...spec },
  });
  const onlyEmbedded = { onlyEmbedded: "the real cluster beside the checkout enforces no NetworkPolicy" };

  fact(
    "a network policy lets in whom it names and nobody else",
    async (t) => {
      await t.create(web("one", { app: "web" }), web("friend", { role: "friend" }), web("stranger"));
      const [one] = await Promise.all(["one", "friend", "stranger"].map((name) => t.ready(name)));
      const from = (pod: string) => evaluate(t, pod, knock(one?.status?.podIP ?? ""));
      assert.equal(await from("stranger"), "open");
      await t.create(
        toWeb({ ingress: [{ from: [{ podSelector: { matchLabels: { role: "friend" } } }], ports: [{ port: 8080 }] }] }),
      );
      await eventually(async () => (await from("stranger")) !== "open");
      assert.equal(await from("friend"), "open");
      await t.kubectl.run`delete networkpolicy web`;
      await eventually(async () => (await from("stranger")) === "open");
    },
    onlyEmbedded,
  );

  fact(
    "an egress policy keeps a pod from calling others",
    async (t) => {
      await t.create(web("one", { app: "web" }), web("other"));
      await t.ready("one");
      const { status } = await t.ready("other");
      await t.create(toWeb({ policyTypes: ["Egress"], egress: [] }));
      await eventually(async () => (await evaluate(t, "one", knock(status?.podIP ?? ""))) !== "open");
    },
    onlyEmbedded,
  );
});
