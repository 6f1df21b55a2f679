import assert from "node:assert/strict";
import type { Pod, ResourceQuota } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, refusal, shell, shellPod, type Sketch, type Trial } from "../fact.ts";
import { service } from "./web.ts";

const nowhere = { nodeSelector: { "example.org/none": "such" } };
const quota = (hard: Record<string, string>, more: object = {}): Sketch => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "small" },
  spec: { hard, ...more },
});
const range = (...limits: object[]): Sketch => ({
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: { name: "limits" },
  spec: { limits },
});
const claim = (name: string, storage: string, more: object = {}): Sketch => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...more },
});
const sized = (name: string, resources: object, more: object = {}) =>
  shellPod(name, idle, { container: { resources }, spec: { ...nowhere, ...more } });
const used = (t: Trial, wanted: Record<string, string>) =>
  eventually(async () => {
    const { status } = await t.get<ResourceQuota>("v1", "ResourceQuota", "small");
    return Object.entries(wanted).every(([key, value]) => status?.used?.[key] === value);
  }, 40_000);
/** Refused, and what was said after the name. */
const said = async (attempt: Promise<unknown>) => (await refusal(attempt)).message.replace(/^.* is forbidden: /, "");

/** What a create is refused with, once the server has heard of what refuses it; nothing is kept. */
const refusedSoon = (t: Trial, sketch: Sketch) =>
  eventually(async () => {
    const object = { ...sketch, metadata: { namespace: t.namespace, ...sketch.metadata } };
    return said(t.client.create(object, { dryRun: "All" }));
  });

facts("more of quotas", () => {
  fact("services are counted by type, and node ports each", async (t) => {
    await t.create(quota({ services: "3", "services.nodeports": "1", "services.loadbalancers": "0" }));
    await used(t, { services: "0" });
    await t.create(service("one", "web", { type: "NodePort" }));
    assert.match(
      await said(t.create(service("two", "web", { type: "NodePort" }))),
      /^exceeded quota: small, requested: services\.nodeports=1, used: services\.nodeports=1, limited: services\.nodeports=1$/,
    );
    assert.match(
      await said(t.create(service("two", "web", { type: "LoadBalancer" }))),
      /requested: services\.loadbalancers=1,services\.nodeports=1/,
    );
    await t.create(service("two", "web"));
    await used(t, { services: "2", "services.nodeports": "1" });
  });

  fact("storage is counted over all claims, and by class", async (t) => {
    await t.create(
      quota({
        "requests.storage": "3Gi",
        persistentvolumeclaims: "5",
        "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
      }),
    );
    await used(t, { persistentvolumeclaims: "0" });
    await t.create(claim("one", "2Gi", { storageClassName: "silver" }));
    assert.match(
      await said(t.create(claim("two", "2Gi", { storageClassName: "silver" }))),
      /exceeded quota: small, requested: requests\.storage=2Gi, used: requests\.storage=2Gi, limited: requests\.storage=3Gi$/,
    );
    assert.match(
      await said(t.create(claim("two", "2Gi", { storageClassName: "gold" }))),
      /requested: gold\.storageclass\.storage\.k8s\.io\/requests\.storage=2Gi/,
    );
  });

  fact("any kind is counted by count/<resource>.<group>", async (t) => {
    await t.create(quota({ "count/deployments.apps": "1", "count/jobs.batch": "0" }));
    await used(t, { "count/deployments.apps": "0" });
    await t.kubectl.run`create deployment one --image=busybox:1.37 --replicas=0`;
    assert.match(
      await t.kubectl.refused`create deployment two --image=busybox:1.37 --replicas=0`,
      /deployments\.apps "two" is forbidden: exceeded quota: small, requested: count\/deployments\.apps=1, used: count\/deployments\.apps=1, limited: count\/deployments\.apps=1$/,
    );
    assert.match(
      await t.kubectl.refused`create job two --image=busybox:1.37`,
      /exceeded quota: small, requested: count\/jobs\.batch=1/,
    );
  });

  fact("a scope selector counts pods of some priority classes only", async (t) => {
    const scopeSelector = {
      matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["system-cluster-critical"] }],
    };
    await t.create(quota({ pods: "0" }, { scopeSelector }));
    await used(t, { pods: "0" });
    await t.create(sized("plain", {}));
    assert.match(
      await said(t.create(sized("critical", {}, { priorityClassName: "system-cluster-critical" }))),
      /exceeded quota: small/,
    );
  });

  fact("pods that must end and those that need not are scopes of their own", async (t) => {
    await t.create(quota({ pods: "0" }, { scopes: ["Terminating"] }));
    await used(t, { pods: "0" });
    assert.match(await said(t.create(sized("ends", {}, { activeDeadlineSeconds: 100 }))), /exceeded quota: small/);
    await t.create(sized("stays", {}));
  });

  fact("init containers and the others are not added up: the greater counts", async (t) => {
    await t.create(quota({ "requests.cpu": "1" }));
    await used(t, { "requests.cpu": "0" });
    const before = { ...shell("true"), name: "before", resources: { requests: { cpu: "400m" } } };
    await t.create(sized("one", { requests: { cpu: "300m" } }, { initContainers: [before] }));
    await used(t, { "requests.cpu": "400m" });
  });

  fact("a quota may be changed, and what is there already stays", async (t) => {
    await t.create(quota({ pods: "2" }));
    await used(t, { pods: "0" });
    await t.create(sized("one", {}), sized("two", {}));
    await t.client.patch({ apiVersion: "v1", kind: "ResourceQuota", namespace: t.namespace, name: "small" }, "merge", {
      spec: { hard: { pods: "1" } },
    });
    await eventually(
      async () => (await t.get<ResourceQuota>("v1", "ResourceQuota", "small")).status?.hard?.["pods"] === "1",
    );
    await used(t, { pods: "2" });
    assert.match(await said(t.create(sized("three", {}))), /requested: pods=1, used: pods=2, limited: pods=1$/);
    assert.equal((await t.list<Pod>("v1", "Pod")).length, 2);
  });
});

facts("more of limit ranges", () => {
  fact("a limit may be so many times its request at most", async (t) => {
    await t.create(range({ type: "Container", maxLimitRequestRatio: { cpu: "2" } }));
    const asking = sized("one", { requests: { cpu: "100m" }, limits: { cpu: "300m" } });
    assert.match(
      await refusedSoon(t, asking),
      /^cpu max limit to request ratio per Container is 2, but provided ratio is 3\.000000$/,
    );
  });

  fact("a range for pods adds up their containers", async (t) => {
    await t.create(range({ type: "Pod", max: { memory: "100Mi" } }));
    const containers = ["a", "b"].map((name) => ({ ...shell(idle), name, resources: { limits: { memory: "64Mi" } } }));
    const asking = shellPod("two", "", { spec: { ...nowhere, containers } });
    assert.match(await refusedSoon(t, asking), /^maximum memory usage per Pod is 100Mi, but limit is 128Mi$/);
  });

  fact("a range for claims bounds their size", async (t) => {
    await t.create(range({ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } }));
    assert.match(
      await refusedSoon(t, claim("one", "1Mi")),
      /^minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi$/,
    );
    assert.match(
      await said(t.create(claim("one", "5Gi"))),
      /^maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi$/,
    );
  });

  fact("a range that contradicts itself is refused", async (t) => {
    const error = await refusal(t.create(range({ type: "Container", min: { cpu: "2" }, max: { cpu: "1" } })));
    assert.match(
      error.message,
      /spec\.limits\[0\]\.min\[cpu\]: Invalid value: "2": min value 2 is greater than max value 1, /,
    );
  });
});

const level = (name: string, more: Record<string, string> = {}) => ({
  labels: { [`pod-security.kubernetes.io/enforce`]: name, ...more },
});

facts("more of Pod Security", () => {
  const trying = (name: string, security: object, spec: object = {}) =>
    shellPod(name, idle, { container: { securityContext: security }, spec: { ...nowhere, ...spec } });

  fact(
    "baseline refuses added capabilities, host ports, unsafe sysctls and unconfined seccomp",
    async (t) => {
      const faults = async (security: object, spec: object = {}) =>
        (await said(t.create(trying("one", security, spec)))).replace('violates PodSecurity "baseline:latest": ', "");
      assert.equal(
        await faults({ capabilities: { add: ["NET_ADMIN"] } }),
        'non-default capabilities (container "main" must not include "NET_ADMIN" in securityContext.capabilities.add)',
      );
      assert.equal(
        await faults({ seccompProfile: { type: "Unconfined" } }),
        'seccompProfile (container "main" must not set securityContext.seccompProfile.type to "Unconfined")',
      );
      const ports = [{ containerPort: 80, hostPort: 80 }];
      const one = shellPod("one", idle, { container: { ports }, spec: nowhere });
      assert.equal(
        (await said(t.create(one))).replace('violates PodSecurity "baseline:latest": ', ""),
        'hostPort (container "main" uses hostPort 80)',
      );
      assert.equal(
        await faults({}, { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }),
        "forbidden sysctls (kernel.msgmax)",
      );
      await t.create(
        trying(
          "two",
          { capabilities: { add: ["CHOWN"] } },
          { securityContext: { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] } },
        ),
      );
    },
    level("baseline"),
  );

  fact(
    "a pod with users of its own may have an unmasked proc under baseline, which others may not even ask for",
    async (t) => {
      await t.create(trying("one", { procMount: "Unmasked" }, { hostUsers: false }));
      const { message } = await refusal(t.create(trying("two", { procMount: "Unmasked" })));
      assert.match(message, /procMount/);
    },
    level("baseline"),
  );

  fact(
    "restricted allows volumes that are the cluster's own, and init containers are looked at as well",
    async (t) => {
      const safe = {
        allowPrivilegeEscalation: false,
        runAsNonRoot: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      };
      const faults = async (spec: object) =>
        (await said(t.create(trying("one", safe, spec)))).replace('violates PodSecurity "restricted:latest": ', "");
      assert.match(
        await faults({ volumes: [{ name: "n", nfs: { server: "s", path: "/" } }] }),
        /^restricted volume types \(volume "n" uses restricted volume type "nfs"\)$/,
      );
      assert.match(
        await faults({
          initContainers: [
            { ...shell("true"), name: "before", securityContext: { ...safe, allowPrivilegeEscalation: true } },
          ],
        }),
        /^allowPrivilegeEscalation != false \(container "before" must set securityContext\.allowPrivilegeEscalation=false\)$/,
      );
      assert.match(await faults({ securityContext: { runAsUser: 0 } }), /runAsUser=0 \(pod must not set runAsUser=0\)/);
      await t.create(
        trying("two", safe, {
          volumes: [
            { name: "a", emptyDir: {} },
            { name: "b", configMap: { name: "c" } },
          ],
        }),
      );
    },
    level("restricted"),
  );

  fact(
    "an older version of the standard may be held to",
    async (t) => {
      // Before 1.23 restricted did not ask for anything of seccomp on Windows; before 1.22 not for dropping all capabilities.
      const some = { allowPrivilegeEscalation: false, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
      assert.match(
        await said(t.create(trying("one", some))),
        /violates PodSecurity "restricted:v1\.36": unrestricted capabilities/,
      );
      await t.client.patch({ apiVersion: "v1", kind: "Namespace", name: t.namespace }, "merge", {
        metadata: { labels: { "pod-security.kubernetes.io/enforce-version": "v1.21" } },
      });
      await eventually(() => t.create(trying("one", some)).catch(() => undefined));
    },
    level("restricted", { "pod-security.kubernetes.io/enforce-version": "v1.36" }),
  );

  fact("labelling a namespace warns of the pods in it that the level would refuse", async (t) => {
    await t.create(trying("one", { privileged: true }));
    const { stderr, stdout } = await t.kubectl
      .answer`label namespace ${t.namespace} pod-security.kubernetes.io/enforce=baseline`;
    assert.match(
      stderr,
      /^Warning: existing pods in namespace "\S+" violate the new PodSecurity enforce level "baseline:latest"\nWarning: one: privileged$/m,
    );
    assert.match(stdout, /labeled$/m);
    assert.equal((await t.pod("one")).metadata.deletionTimestamp, undefined);
  });

  fact(
    "a pod that is there may be changed where its security is none of it",
    async (t) => {
      await t.client.patch({ apiVersion: "v1", kind: "Namespace", name: t.namespace }, "merge", {
        metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
      });
      await eventually(() => t.create(trying("one", { privileged: true })).catch(() => undefined));
      await t.client.patch({ apiVersion: "v1", kind: "Namespace", name: t.namespace }, "merge", {
        metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      });
      await t.kubectl.run`label pod one x=y`;
    },
    level("restricted"),
  );
});
