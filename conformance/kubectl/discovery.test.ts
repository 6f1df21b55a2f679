import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateSigningRequest } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { idle, kubectlFacts, shellPod } from "../fact.ts";

kubectlFacts("discovery", (fact) => {
  fact("api-resources lists every built-in kind with its short names", async (t) => {
    const said = await t.kubectl.run`api-resources`;
    const rows = new Set(said.split("\n").map((line) => line.trim().split(/\s+/).join(" ")));
    for (const row of [
      "NAME SHORTNAMES APIVERSION NAMESPACED KIND",
      "configmaps cm v1 true ConfigMap",
      "pods po v1 true Pod",
      "namespaces ns v1 false Namespace",
      "persistentvolumeclaims pvc v1 true PersistentVolumeClaim",
      "deployments deploy apps/v1 true Deployment",
      "statefulsets sts apps/v1 true StatefulSet",
      "daemonsets ds apps/v1 true DaemonSet",
      "horizontalpodautoscalers hpa autoscaling/v2 true HorizontalPodAutoscaler",
      "cronjobs cj batch/v1 true CronJob",
      "leases coordination.k8s.io/v1 true Lease",
      "endpointslices discovery.k8s.io/v1 true EndpointSlice",
      "events ev events.k8s.io/v1 true Event",
      "ingresses ing networking.k8s.io/v1 true Ingress",
      "networkpolicies netpol networking.k8s.io/v1 true NetworkPolicy",
      "poddisruptionbudgets pdb policy/v1 true PodDisruptionBudget",
      "clusterroles rbac.authorization.k8s.io/v1 false ClusterRole",
      "priorityclasses pc scheduling.k8s.io/v1 false PriorityClass",
      "storageclasses sc storage.k8s.io/v1 false StorageClass",
      "customresourcedefinitions crd,crds apiextensions.k8s.io/v1 false CustomResourceDefinition",
      "nodes metrics.k8s.io/v1beta1 false NodeMetrics",
    ])
      assert.ok(rows.has(row), row);
  });

  fact("api-resources filters by group, verb, category and scope", async (t) => {
    assert.deepEqual((await t.kubectl.run`api-resources --api-group=apps -o name`).trim().split("\n"), [
      "controllerrevisions.apps",
      "daemonsets.apps",
      "deployments.apps",
      "replicasets.apps",
      "statefulsets.apps",
    ]);
    assert.deepEqual((await t.kubectl.run`api-resources --categories=all -o name`).trim().split("\n").sort(), [
      "cronjobs.batch",
      "daemonsets.apps",
      "deployments.apps",
      "horizontalpodautoscalers.autoscaling",
      "jobs.batch",
      "pods",
      "replicasets.apps",
      "replicationcontrollers",
      "services",
      "statefulsets.apps",
    ]);
    assert.match(await t.kubectl.run`api-resources --namespaced=false --verbs=delete -o name`, /^namespaces$/m);
    assert.match(
      await t.kubectl.run`api-resources -o wide --api-group=policy`,
      /create,delete,deletecollection,get,list,patch,update,watch/,
    );
  });

  fact("api-versions lists groups and versions", async (t) => {
    const said = (await t.kubectl.run`api-versions`).trim().split("\n");
    for (const version of [
      "v1",
      "apps/v1",
      "batch/v1",
      "autoscaling/v1",
      "autoscaling/v2",
      "networking.k8s.io/v1",
      "policy/v1",
      "rbac.authorization.k8s.io/v1",
      "metrics.k8s.io/v1beta1",
      "apiextensions.k8s.io/v1",
    ]) {
      assert.ok(said.includes(version), version);
    }
  });

  fact("explain prints kinds, fields, their types and what they may be", async (t) => {
    assert.match(
      await t.kubectl.run`explain deployment`,
      /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nDESCRIPTION:\n/,
    );
    assert.match(await t.kubectl.run`explain pod.spec.containers.imagePullPolicy`, /FIELD: imagePullPolicy <string>/);
    assert.match(await t.kubectl.run`explain deployment.spec.replicas`, /FIELD: replicas <integer>/);
    assert.match(
      await t.kubectl.run`explain pod.spec.containers`,
      /FIELD: containers <\[\]Container>\n[\s\S]*^ {2}name\t<string> -required-$/m,
    );
    assert.match(await t.kubectl.run`explain hpa --api-version=autoscaling/v1`, /VERSION: +v1\n/);
    assert.match(
      await t.kubectl.run`explain ingress.spec --recursive`,
      /^ {2}rules\s+<\[\]IngressRule>\n {4}host\s+<string>/m,
    );
    assert.match(await t.kubectl.refused`explain pod.spec.nothing`, /field "nothing" does not exist/);
  });

  fact("cluster-info names the control plane, version the server", async (t) => {
    assert.match(await t.kubectl.run`cluster-info`, /Kubernetes control plane.* is running at .*https:\/\/\S+/);
    const { serverVersion } = await t.kubectl.json<{
      serverVersion: { major: string; minor: string };
    }>`version -o json`;
    assert.deepEqual([serverVersion.major, serverVersion.minor], ["1", "36"]);
    assert.match(
      await t.kubectl.run`cluster-info dump --namespaces ${t.namespace} -o name`.catch((error: Error) => error.message),
      /./,
    );
  });
});

kubectlFacts("rights", (fact) => {
  fact("auth can-i asks for verbs, names, subresources and paths", async (t) => {
    await t.kubectl.run`create serviceaccount robot`;
    await t.kubectl.run`create role reader --verb=get,list --resource=pods,pods/log`;
    await t.kubectl.run`create role one --verb=delete --resource=configmaps --resource-name=mine`;
    for (const role of ["reader", "one"])
      await t.kubectl.run`create rolebinding ${role} --role=${role} --serviceaccount=${t.namespace}:robot`;
    const robot = `system:serviceaccount:${t.namespace}:robot`;
    const may = async (...words: string[]) => {
      const { stdout } = await t.kubectl.answer`auth can-i ${words[0]} ${words[1]} --as=${robot}`;
      return stdout.trim();
    };
    assert.equal(await may("list", "pods"), "yes");
    assert.equal(await may("get", "pods/log"), "yes");
    assert.equal(await may("create", "pods"), "no");
    assert.equal(await may("delete", "configmaps/mine"), "yes");
    assert.equal(await may("delete", "configmaps/other"), "no");
    assert.equal(await may("get", "/healthz"), "yes");
    assert.equal((await t.kubectl.answer`auth can-i ${"*"} ${"*"} --all-namespaces`).stdout, "yes\n");
    assert.equal((await t.kubectl.answer`auth can-i get pods --as=${robot} -n default`).code, 1);
  });

  fact("auth can-i --list lists what one may", async (t) => {
    await t.kubectl.run`create role reader --verb=get --resource=pods`;
    await t.kubectl.run`create rolebinding reader --role=reader --user=someone`;
    const said = await t.kubectl.run`auth can-i --list --as=someone`;
    assert.match(said, /^Resources +Non-Resource URLs +Resource Names +Verbs\n/);
    assert.match(said, /^pods +\[\] +\[\] +\[get\]$/m);
  });

  fact("auth whoami says who one is, groups of impersonation included", async (t) => {
    const said = await t.kubectl.json<{
      status: { userInfo: { username: string; groups: string[] } };
    }>`auth whoami --as=someone --as-group=a --as-group=system:authenticated -o json`;
    assert.deepEqual(
      [said.status.userInfo.username, said.status.userInfo.groups],
      ["someone", ["a", "system:authenticated"]],
    );
  });

  fact("what one may not do is refused with Forbidden, and says who may not do what", async (t) => {
    assert.equal(
      await t.kubectl.refused`get pods --as=nobody`,
      `Error from server (Forbidden): pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "${t.namespace}"`,
    );
    assert.match(
      await t.kubectl.refused`get nodes --as=nobody`,
      /nodes is forbidden: User "nobody" cannot list resource "nodes" in API group "" at the cluster scope/,
    );
  });

  fact("nobody grants rights that they do not have", async (t) => {
    await t.kubectl.run`create role maker --verb=create,get --resource=roles.rbac.authorization.k8s.io`;
    await t.kubectl.run`create rolebinding maker --role=maker --user=someone`;
    const said = await t.kubectl.refused`create role more --verb=get --resource=secrets --as=someone`;
    assert.match(
      said,
      /is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}/,
    );
  });

  fact("auth reconcile adds what is missing in a role", async (t) => {
    await t.kubectl.run`create role reader --verb=get --resource=pods`;
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "reader", namespace: t.namespace },
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }],
    };
    await t.kubectl.fed(role).run`auth reconcile -f -`;
    assert.match(await t.kubectl.run`get role reader -o ${"jsonpath={.rules[*].resources}"}`, /pods.*secrets/);
  });

  fact("a certificate is requested, approved, signed, and is the user that it names", async (t) => {
    const name = `${t.namespace}-someone`;
    const folder = join(t.target.home, name);
    execFileSync("mkdir", ["-p", folder]);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, "key"), privateKey.export({ type: "pkcs8", format: "pem" }));
    const request = execFileSync(
      "openssl",
      ["req", "-new", "-key", join(folder, "key"), "-subj", "/O=crew/CN=someone"],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    await t.kubectl.fed({
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name },
      spec: {
        request: request.toString("base64"),
        signerName: "kubernetes.io/kube-apiserver-client",
        usages: ["client auth"],
      },
    }).run`create -f -`;
    try {
      assert.match(await t.kubectl.run`get csr ${name} --no-headers`, /Pending$/m);
      assert.equal(
        await t.kubectl.run`certificate approve ${name}`,
        `certificatesigningrequest.certificates.k8s.io/${name} approved\n`,
      );
      const signed = await eventually(async () => {
        const { status } = await t.client.get<CertificateSigningRequest>({
          apiVersion: "certificates.k8s.io/v1",
          kind: "CertificateSigningRequest",
          name,
        });
        return status?.certificate;
      });
      writeFileSync(join(folder, "certificate"), Buffer.from(signed, "base64"));
      assert.match(await t.kubectl.run`get csr ${name} --no-headers`, /Approved,Issued$/m);
      const said = await t.kubectl.json<{
        status: { userInfo: { username: string; groups: string[] } };
      }>`auth whoami --user= --client-certificate=${join(folder, "certificate")} --client-key=${join(folder, "key")} -o json`;
      assert.deepEqual(
        [said.status.userInfo.username, said.status.userInfo.groups],
        ["someone", ["crew", "system:authenticated"]],
      );
    } finally {
      await t.kubectl.run`delete csr ${name}`;
    }
  });

  fact("a certificate may be denied", async (t) => {
    const name = `${t.namespace}-denied`;
    const request = execFileSync(
      "openssl",
      [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=x",
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    await t.kubectl.fed({
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name },
      spec: {
        request: request.toString("base64"),
        signerName: "kubernetes.io/kube-apiserver-client",
        usages: ["client auth"],
      },
    }).run`create -f -`;
    await t.kubectl.run`certificate deny ${name}`;
    assert.match(await t.kubectl.run`get csr ${name} --no-headers`, /Denied$/m);
    await t.kubectl.run`delete csr ${name}`;
  });
});

kubectlFacts("events", (fact) => {
  fact("events tells the story of a pod, --for and --types select", async (t) => {
    await t.create(shellPod("one", idle), shellPod("two", idle));
    await Promise.all([t.ready("one"), t.ready("two")]);
    const story = ["Scheduled", "Pulled", "Created", "Started"].map(
      (reason) => new RegExp(`Normal +${reason} +Pod/one`),
    );
    const said = await eventually(async () => {
      const text = await t.kubectl.run`events --for pod/one`;
      return story.every((part) => part.test(text)) ? text : undefined;
    });
    assert.match(said, /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
    assert.doesNotMatch(said, /Pod\/two/);
    // A real kubelet may have warned of a volume that was not there yet.
    assert.doesNotMatch(await t.kubectl.run`events --types=Warning`, /Normal/);
    assert.doesNotMatch(await t.kubectl.run`events --types=Normal`, /Warning/);
    assert.match(
      await t.kubectl.run`get events --field-selector involvedObject.name=two,reason=Scheduled`,
      /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n.* Normal +Scheduled +pod\/two +Successfully assigned \S+\/two to \S+\n$/,
    );
  });
});
