import assert from "node:assert/strict";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, idle, refusal, shell, shellPod, type Trial } from "../fact.ts";

const mounted = (volume: object, more: object = {}) => ({
  container: { volumeMounts: [{ name: "data", mountPath: "/data", ...more }] },
  spec: { restartPolicy: "Never", volumes: [{ name: "data", ...volume }] },
});
const config = (name: string, data: Record<string, string>, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
  ...more,
});
const claim = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
});
const claimOf = (t: Trial, name: string) => t.get<PersistentVolumeClaim>("v1", "PersistentVolumeClaim", name);
const events = (t: Trial, about: string) => t.kubectl.run`events --for ${about}`;
/** What a pod printed before it ended. */
async function said(t: Trial, name: string): Promise<string> {
  await t.ended(name);
  return t.kubectl.run`logs ${name}`;
}

facts("emptyDir", () => {
  fact("an emptyDir in memory is a tmpfs of its size limit, beyond which nothing can be written", async (t) => {
    const script =
      "grep ' /data ' /proc/mounts; dd if=/dev/zero of=/data/file bs=1024 count=2048 2>&1 || wc -c < /data/file";
    await t.create(shellPod("one", script, mounted({ emptyDir: { medium: "Memory", sizeLimit: "1Mi" } })));
    const text = await said(t, "one");
    assert.match(text, /^tmpfs \/data tmpfs /);
    assert.match(text, /No space left on device\n[\s\S]*^1048576$/m);
  });

  fact("a pod whose emptyDir grows beyond its limit is evicted", async (t) => {
    const script = "dd if=/dev/zero of=/data/file bs=1024 count=2048; trap '' TERM; while :; do sleep 1; done";
    await t.create(shellPod("big", script, mounted({ emptyDir: { sizeLimit: "1Mi" } })));
    const { status } = await eventually(async () => {
      const found = await t.pod("big");
      return found.status?.phase === "Failed" ? found : undefined;
    }, 120_000);
    assert.deepEqual(
      [status?.reason, status?.message],
      ["Evicted", 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". '],
    );
    assert.match(await events(t, "pod/big"), /Warning +Evicted /);
  });

  fact("an emptyDir is open to everybody, and gone with its pod", async (t) => {
    const more = mounted({ emptyDir: {} });
    const script = "stat -c %a /data; ls -A /data | wc -l; touch /data/file";
    await t.create(shellPod("one", script, more));
    assert.equal(await said(t, "one"), "777\n0\n");
    await t.kubectl.run`delete pod one`;
    await t.create(shellPod("one", script, more));
    assert.equal(await said(t, "one"), "777\n0\n");
  });
});

facts("files of config maps, secrets and pods", () => {
  fact("items choose keys, their paths and their modes", async (t) => {
    const items = [
      { key: "a", path: "deep/er/file" },
      { key: "b", path: "b", mode: 0o400 },
    ];
    const script = "cd /data; find . -name '[a-z]*' -type l | sort; cat deep/er/file b; stat -L -c %a b deep/er/file";
    await t.create(
      config("settings", { a: "1", b: "2", c: "3" }),
      shellPod("one", script, mounted({ configMap: { name: "settings", items } })),
    );
    assert.equal(await said(t, "one"), "./b\n./deep\n12400\n644\n");
  });

  fact("a key that is not there keeps the pod waiting and is said; optional makes it do without", async (t) => {
    const volume = (optional: boolean) => ({
      configMap: { name: "settings", optional, items: [{ key: "none", path: "none" }] },
    });
    await t.create(
      config("settings", { a: "1" }),
      shellPod("waits", "true", mounted(volume(false))),
      shellPod("goes", "ls /data", mounted(volume(true))),
    );
    assert.equal(await said(t, "goes"), "");
    await eventually(
      async () => /FailedMount .*references non-existent config key: none/.test(await events(t, "pod/waits")),
      40_000,
    );
    assert.equal((await t.pod("waits")).status?.phase, "Pending");
    await t.client.patch({ apiVersion: "v1", kind: "ConfigMap", namespace: t.namespace, name: "settings" }, "merge", {
      data: { none: "" },
    });
    await eventually(async () => (await t.pod("waits")).status?.phase === "Succeeded", 90_000);
  });

  fact("a secret that is not there keeps the pod in ContainerCreating, until it is", async (t) => {
    await t.create(shellPod("one", "cat /data/word", mounted({ secret: { secretName: "late" } })));
    await eventually(async () => /FailedMount .*secret "late" not found/.test(await events(t, "pod/one")), 40_000);
    // The event comes first, and what the kubelet says of the pod a moment after it.
    await eventually(async () => /ContainerCreating/.test(await t.kubectl.run`get pod one --no-headers`));
    await t.kubectl.run`create secret generic late --from-literal=word=sesame`;
    await eventually(async () => (await t.pod("one")).status?.phase === "Succeeded", 90_000);
  });

  fact("a secret's files are in memory only, and no program of the pod can change them", async (t) => {
    await t.kubectl.run`create secret generic hidden --from-literal=word=sesame`;
    const script =
      "grep ' /data ' /proc/mounts | cut -d' ' -f3,4 | cut -d, -f1; touch /data/x 2>&1; stat -L -c %a /data/word";
    await t.create(shellPod("one", script, mounted({ secret: { secretName: "hidden" } })));
    assert.match(await said(t, "one"), /^(tmpfs )?.*ro\n.*Read-only file system\n644\n$/);
  });

  fact("a projected volume holds files of several sources, and a token for whom it says", async (t) => {
    await t.kubectl.run`create secret generic hidden --from-literal=word=sesame`;
    const sources = [
      { configMap: { name: "settings", items: [{ key: "a", path: "config/a" }] } },
      { secret: { name: "hidden" } },
      { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels['app']" } }] } },
      { serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 600 } },
    ];
    const script = "cd /data; cat config/a word labels; echo; cut -d. -f2 token";
    await t.create(
      config("settings", { a: "1" }),
      shellPod("one", script, { ...mounted({ projected: { sources } }), labels: { app: "web" } }),
    );
    const [first, payload] = (await said(t, "one")).split("\n");
    assert.equal(first, "1sesameweb");
    const token = JSON.parse(Buffer.from(payload ?? "", "base64url").toString()) as {
      aud: string[];
      exp: number;
      iat: number;
      sub: string;
      "kubernetes.io": { pod: { name: string } };
    };
    assert.deepEqual(
      [token.aud, token.exp - token.iat, token.sub, token["kubernetes.io"].pod.name],
      [["vault"], 600, `system:serviceaccount:${t.namespace}:default`, "one"],
    );
  });

  fact("files of labels and annotations follow their changes; variables do not", async (t) => {
    const items = [{ path: "colour", fieldRef: { fieldPath: "metadata.annotations['colour']" } }];
    const env = [{ name: "COLOUR", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['colour']" } } }];
    const { container, spec } = mounted({ downwardAPI: { items } });
    await t.create(shellPod("one", idle, { container: { ...container, env }, spec, annotations: { colour: "blue" } }));
    await t.ready("one");
    assert.equal(await t.kubectl.run`exec one -- cat /data/colour`, "blue");
    await t.kubectl.run`annotate pod one --overwrite colour=red`;
    await eventually(async () => (await t.kubectl.run`exec one -- cat /data/colour`) === "red", 150_000, 5000);
    assert.equal(await t.kubectl.run`exec one -- sh -c ${"echo $COLOUR"}`, "blue\n");
  });

  fact("an immutable config map and secret refuse other data for good, and are deleted as any", async (t) => {
    await t.create(config("fixed", { a: "1" }, { immutable: true }), {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "fixed" },
      stringData: { a: "1" },
      immutable: true,
    });
    const patch = (kind: string, body: object) =>
      refusal(t.client.patch({ apiVersion: "v1", kind, namespace: t.namespace, name: "fixed" }, "merge", body));
    for (const kind of ["ConfigMap", "Secret"]) {
      assert.equal(
        (await patch(kind, { data: { a: "Mg==" } })).message,
        `${kind} "fixed" is invalid: data: Forbidden: field is immutable when \`immutable\` is set`,
      );
      assert.equal(
        (await patch(kind, { immutable: false })).message,
        `${kind} "fixed" is invalid: immutable: Forbidden: field is immutable when \`immutable\` is set`,
      );
    }
    await t.kubectl.run`label configmap fixed x=y`;
    await t.kubectl.run`delete configmap/fixed secret/fixed`;
  });

  fact("a resource's quantity is divided by its divisor, and rounded up", async (t) => {
    const resource = (name: string, resource: string, divisor: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource, divisor } },
    });
    const env = [
      resource("A", "limits.memory", "1Mi"),
      resource("B", "limits.cpu", "1"),
      resource("C", "requests.cpu", "1m"),
      resource("D", "limits.memory", "1k"),
    ];
    const resources = { limits: { memory: "64Mi", cpu: "1500m" }, requests: { cpu: "250m" } };
    await t.create(
      shellPod("one", "echo $A $B $C $D", { container: { env, resources }, spec: { restartPolicy: "Never" } }),
    );
    assert.equal(await said(t, "one"), "64 2 250 67109\n");
  });
});

facts("subPath", () => {
  fact("subPath mounts one folder or file of a volume, which is made where it is not there", async (t) => {
    const volumeMounts = [
      { name: "data", mountPath: "/whole" },
      { name: "data", mountPath: "/part", subPath: "deep/part" },
    ];
    const script = "echo here > /part/file; cat /whole/deep/part/file; ls /whole";
    await t.create(
      shellPod("one", script, {
        container: { volumeMounts },
        spec: { restartPolicy: "Never", volumes: [{ name: "data", emptyDir: {} }] },
      }),
    );
    assert.equal(await said(t, "one"), "here\ndeep\n");
  });

  fact("subPathExpr takes the container's variables", async (t) => {
    const env = [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
    const volumeMounts = [
      { name: "data", mountPath: "/whole" },
      { name: "data", mountPath: "/own", subPathExpr: "logs-$(POD)" },
    ];
    await t.create(
      shellPod("one", "touch /own/file; ls /whole", {
        container: { env, volumeMounts },
        spec: { restartPolicy: "Never", volumes: [{ name: "data", emptyDir: {} }] },
      }),
    );
    assert.equal(await said(t, "one"), "logs-one\n");
  });

  fact("a path that leads out of the volume is refused", async (t) => {
    const bad = async (more: object) =>
      (await refusal(t.create(shellPod("one", "true", mounted({ emptyDir: {} }, more))))).message;
    assert.match(
      await bad({ subPath: "../up" }),
      /containers\[0\]\.volumeMounts\.subPath: Invalid value: "\.\.\/up": must not contain '\.\.'$/,
    );
    assert.match(
      await bad({ subPath: "/etc" }),
      /containers\[0\]\.volumeMounts\.subPath: Invalid value: "\/etc": must be a relative path$/,
    );
  });

  fact("a link that leads out of the volume is not followed", async (t) => {
    const out = {
      ...shell("ln -s /etc /data/link"),
      name: "before",
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    };
    const { container, spec } = mounted({ emptyDir: {} }, { subPath: "link" });
    await t.create(shellPod("one", "ls /data", { container, spec: { ...spec, initContainers: [out] } }));
    const pod = await eventually(async () => {
      const found = await t.pod("one");
      const state = found.status?.containerStatuses?.[0]?.state;
      return state?.waiting?.reason === "CreateContainerConfigError" || state?.terminated ? found : undefined;
    }, 40_000);
    assert.equal(pod.status?.containerStatuses?.[0]?.state?.waiting?.reason, "CreateContainerConfigError");
  });

  fact("a read-only mount refuses writes that another mount of the volume allows", async (t) => {
    const volumeMounts = [
      { name: "data", mountPath: "/open" },
      { name: "data", mountPath: "/shut", readOnly: true },
    ];
    await t.create(
      shellPod("one", "touch /open/a; touch /shut/b 2>&1; ls /shut", {
        container: { volumeMounts },
        spec: { restartPolicy: "Never", volumes: [{ name: "data", emptyDir: {} }] },
      }),
    );
    assert.match(await said(t, "one"), /Read-only file system\na\n$/);
  });
});

facts("claims", () => {
  const user = (name: string, claimName: string, script = "touch /data/file") =>
    shellPod(name, script, mounted({ persistentVolumeClaim: { claimName } }));

  fact("a claim gets the default class, and a volume of its own that goes with it", async (t) => {
    const { spec } = await t
      .create<PersistentVolumeClaim>(claim("data"), user("one", "data"))
      .then(() => claimOf(t, "data"));
    assert.equal(spec?.storageClassName, "standard");
    await t.ended("one");
    const bound = await claimOf(t, "data");
    assert.deepEqual(
      [bound.status?.phase, bound.status?.capacity, bound.status?.accessModes],
      ["Bound", { storage: "1Gi" }, ["ReadWriteOnce"]],
    );
    const ref = { apiVersion: "v1", kind: "PersistentVolume", name: bound.spec?.volumeName ?? "" };
    const volume = await t.client.get<PersistentVolume>(ref);
    assert.deepEqual(
      [volume.spec?.persistentVolumeReclaimPolicy, volume.spec?.claimRef?.name, volume.status?.phase],
      ["Delete", "data", "Bound"],
    );
    await t.kubectl.run`delete pod one`;
    await t.kubectl.run`delete pvc data`;
    await eventually(async () => (await t.client.find(ref)) === undefined, 40_000);
  });

  fact("a claim of a class that there is not stays Pending and says so, as does its pod", async (t) => {
    await t.create(claim("data", { storageClassName: "none" }), user("one", "data"));
    await eventually(
      async () =>
        /ProvisioningFailed .*storageclass\.storage\.k8s\.io "none" not found/.test(await events(t, "pvc/data")),
      60_000,
    );
    assert.equal((await claimOf(t, "data")).status?.phase, "Pending");
    const { status } = await eventually(async () => {
      const found = await t.pod("one");
      return found.status?.conditions?.some(({ type, status }) => type === "PodScheduled" && status === "False")
        ? found
        : undefined;
    });
    assert.match(status?.conditions?.[0]?.message ?? "", /pod has unbound immediate PersistentVolumeClaims/);
  });

  fact("a pod whose claim is not there is not scheduled before it is", async (t) => {
    await t.create(user("one", "late"));
    await eventually(async () =>
      /persistentvolumeclaim "late" not found/.test((await t.pod("one")).status?.conditions?.[0]?.message ?? ""),
    );
    await t.create(claim("late"));
    await eventually(async () => (await t.pod("one")).status?.phase === "Succeeded", 60_000);
  });

  fact("what a claim asks for cannot be changed, and it cannot shrink", async (t) => {
    await t.create(claim("data"));
    const patch = (body: object) =>
      refusal(
        t.client.patch(
          { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: t.namespace, name: "data" },
          "merge",
          { spec: body },
        ),
      );
    assert.match(
      (await patch({ accessModes: ["ReadWriteMany"] })).message,
      /spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims/,
    );
    assert.match(
      (await patch({ resources: { requests: { storage: "2Gi" } } })).message,
      /(spec is immutable after creation|only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize)/,
    );
  });

  fact("with reclaim policy Retain a volume outlives its claim as Released, and is nobody's", async (t) => {
    await t.create(claim("data"), user("one", "data"));
    await t.ended("one");
    const name = (await claimOf(t, "data")).spec?.volumeName ?? "";
    const ref = { apiVersion: "v1", kind: "PersistentVolume", name };
    await t.client.patch(ref, "merge", { spec: { persistentVolumeReclaimPolicy: "Retain" } });
    try {
      await t.kubectl.run`delete pod one`;
      await t.kubectl.run`delete pvc data`;
      await eventually(async () => (await t.client.get<PersistentVolume>(ref)).status?.phase === "Released");
      await t.create(claim("again", { volumeName: name }));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal((await claimOf(t, "again")).status?.phase, "Pending");
    } finally {
      await t.client.delete(ref);
    }
  });

  fact("a generic ephemeral volume has a claim of its own, owned by the pod and gone with it", async (t) => {
    const { accessModes, resources } = claim("x").spec;
    const volume = {
      ephemeral: { volumeClaimTemplate: { metadata: { labels: { from: "pod" } }, spec: { accessModes, resources } } },
    };
    await t.create(shellPod("one", "touch /data/file && echo written", mounted(volume)));
    assert.equal(await said(t, "one"), "written\n");
    const { metadata } = await claimOf(t, "one-data");
    const { uid } = (await t.pod("one")).metadata;
    assert.deepEqual([metadata.labels, metadata.ownerReferences?.[0]?.uid], [{ from: "pod" }, uid]);
    await t.kubectl.run`delete pod one`;
    await t.kubectl.run`wait --for=delete pvc/one-data --timeout=60s`;
  });

  fact("two pods of a node may share a ReadWriteOnce volume; ReadWriteOncePod is one pod's", async (t) => {
    const wait = (name: string, claimName: string, more: object = {}) => {
      const { container, spec } = mounted({ persistentVolumeClaim: { claimName } });
      return shellPod(name, idle, { container, spec: { ...spec, ...more } });
    };
    await t.create(claim("many"), wait("a", "many"));
    const { spec } = await t.ready("a");
    await t.create(wait("b", "many", { nodeName: spec?.nodeName }));
    await t.ready("b");
    await t.create(claim("one", { accessModes: ["ReadWriteOncePod"] }), wait("c", "one"));
    await t.ready("c").catch(() => undefined);
    await t.create(wait("d", "one"));
    await eventually(async () => {
      const { status }: Pod = await t.pod("d");
      return /unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod/.test(
        status?.conditions?.[0]?.message ?? "",
      );
    });
  });
});
