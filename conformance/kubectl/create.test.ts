import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type {
  ConfigMap,
  CronJob,
  Deployment,
  Ingress,
  Job,
  PodDisruptionBudget,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  Service,
} from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { kubectlFacts, shell } from "../fact.ts";

kubectlFacts("create", (fact) => {
  fact("configmap takes literals, files and env files", async (t) => {
    const file = join(t.target.home, `${t.namespace}.conf`);
    writeFileSync(file, "a=1\n# nothing\nb=two words\n");
    await t.kubectl.run`create configmap literal --from-literal=key=${"some value"} --from-literal=other=`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "literal")).data, { key: "some value", other: "" });
    await t.kubectl.run`create configmap file --from-file=named=${file}`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "file")).data, {
      named: "a=1\n# nothing\nb=two words\n",
    });
    await t.kubectl.run`create configmap env --from-env-file=${file}`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "env")).data, { a: "1", b: "two words" });
  });

  fact("configmap keeps bytes that are no text as binaryData", async (t) => {
    const file = join(t.target.home, `${t.namespace}.bin`);
    writeFileSync(file, Buffer.from([0, 255, 128]));
    await t.kubectl.run`create configmap bytes --from-file=raw=${file}`;
    assert.deepEqual((await t.get<ConfigMap>("v1", "ConfigMap", "bytes"))["binaryData"], { raw: "AP+A" });
  });

  fact("secrets are generic, tls or docker-registry, each with its type", async (t) => {
    await t.kubectl.run`create secret generic plain --from-literal=a=b`;
    const plain = await t.get<Secret>("v1", "Secret", "plain");
    assert.deepEqual([plain.type, plain.data], ["Opaque", { a: "Yg==" }]);
    await t.kubectl
      .run`create secret docker-registry pull --docker-username=u --docker-password=p --docker-server=r.example`;
    assert.equal((await t.get<Secret>("v1", "Secret", "pull")).type, "kubernetes.io/dockerconfigjson");
    assert.match(await t.kubectl.refused`create secret tls bad --cert=/dev/null --key=/dev/null`, /^error: /);
  });

  fact("a second time is refused with AlreadyExists", async (t) => {
    await t.kubectl.run`create configmap one`;
    assert.equal(
      await t.kubectl.refused`create configmap one`,
      'error: failed to create configmap: configmaps "one" already exists',
    );
  });

  fact("deployment sets image, replicas, port and labels", async (t) => {
    assert.equal(
      await t.kubectl.run`create deployment web --image=busybox:1.37 --replicas=0 --port=80 -- sleep 1000`,
      "deployment.apps/web created\n",
    );
    const { spec, metadata } = await t.get<Deployment>("apps/v1", "Deployment", "web");
    const [container] = spec?.template?.spec?.containers ?? [];
    assert.deepEqual(metadata.labels, { app: "web" });
    assert.deepEqual([spec?.replicas, container?.name, container?.command], [0, "busybox", ["sleep", "1000"]]);
    assert.deepEqual(container?.ports, [{ containerPort: 80, protocol: "TCP" }]);
    assert.deepEqual(spec?.strategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" },
    });
  });

  fact("a job may be made of a cron job's template", async (t) => {
    await t.kubectl.run`create cronjob nightly --image=busybox:1.37 --schedule=${"0 3 * * *"} -- true`;
    const { spec } = await t.get<CronJob>("batch/v1", "CronJob", "nightly");
    assert.deepEqual([spec?.schedule, spec?.suspend, spec?.concurrencyPolicy], ["0 3 * * *", false, "Allow"]);
    await t.kubectl.run`create job now --from=cronjob/nightly`;
    const job = await t.get<Job>("batch/v1", "Job", "now");
    assert.equal(job.metadata.annotations?.["cronjob.kubernetes.io/instantiate"], "manual");
    assert.equal(job.metadata.ownerReferences?.[0]?.name, "nightly");
    await t.kubectl.run`wait --for=condition=complete job/now --timeout=60s`;
  });

  fact("a job is created and completes", async (t) => {
    await t.kubectl.run`create job hello --image=busybox:1.37 -- echo hello`;
    await t.kubectl.run`wait --for=condition=complete job/hello --timeout=60s`;
    assert.equal(await t.kubectl.run`logs job/hello`, "hello\n");
  });

  fact("services of each type", async (t) => {
    await t.kubectl.run`create service clusterip inner --tcp=80:8080`;
    await t.kubectl.run`create service clusterip headless --clusterip=None --tcp=80`;
    await t.kubectl.run`create service nodeport outer --tcp=80`;
    await t.kubectl.run`create service loadbalancer balanced --tcp=80`;
    await t.kubectl.run`create service externalname other --external-name=example.org`;
    const services = await t.list<Service>("v1", "Service");
    const specs = Object.fromEntries(services.map(({ metadata, spec }) => [metadata.name, spec]));
    assert.match(specs["inner"]?.clusterIP ?? "", /^10\.96\./);
    assert.deepEqual(specs["inner"]?.ports, [{ name: "80-8080", port: 80, protocol: "TCP", targetPort: 8080 }]);
    assert.equal(specs["headless"]?.clusterIP, "None");
    const port = specs["outer"]?.ports?.[0]?.nodePort ?? 0;
    assert.ok(port >= 30_000 && port <= 32_767, String(port));
    assert.equal(specs["balanced"]?.allocateLoadBalancerNodePorts, true);
    assert.deepEqual([specs["other"]?.type, specs["other"]?.clusterIP], ["ExternalName", undefined]);
  });

  fact("ingress rules are parsed into hosts, paths and TLS", async (t) => {
    await t.kubectl
      .run`create ingress web --class=nginx --rule=${"shop.example/api*=web:80,tls=shop-tls"} --rule=${"shop.example/exact=web:http"}`;
    const { spec } = await t.get<Ingress>("networking.k8s.io/v1", "Ingress", "web");
    assert.deepEqual(spec?.tls, [{ hosts: ["shop.example"], secretName: "shop-tls" }]);
    assert.deepEqual(
      spec?.rules?.[0]?.http?.paths.map(({ path, pathType }) => [path, pathType]),
      [
        ["/api", "Prefix"],
        ["/exact", "Exact"],
      ],
    );
  });

  fact("roles, bindings and service accounts", async (t) => {
    await t.kubectl.run`create serviceaccount robot`;
    await t.kubectl.run`create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=x`;
    await t.kubectl.run`create rolebinding robot-reads --role=reader --serviceaccount=${t.namespace}:robot`;
    const role = await t.get<Role>("rbac.authorization.k8s.io/v1", "Role", "reader");
    assert.deepEqual(role.rules, [
      { apiGroups: [""], resources: ["pods"], resourceNames: ["x"], verbs: ["get", "list"] },
      { apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["x"], verbs: ["get", "list"] },
    ]);
    const binding = await t.get<RoleBinding>("rbac.authorization.k8s.io/v1", "RoleBinding", "robot-reads");
    assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: "robot", namespace: t.namespace }]);
    const name = `${t.namespace}-reader`;
    await t.kubectl.run`create clusterrole ${name} --verb=get --resource=nodes`;
    await t.kubectl.run`create clusterrolebinding ${name} --clusterrole=${name} --user=someone`;
    assert.equal(
      await t.kubectl.run`auth can-i get nodes --as=someone`.catch((error: Error) => error.message),
      "yes\n",
    );
    await t.kubectl.run`delete clusterrole,clusterrolebinding ${name}`;
  });

  fact("quota, priority class and disruption budget", async (t) => {
    await t.kubectl.run`create quota small --hard=pods=2,requests.cpu=1`;
    assert.deepEqual((await t.get<ResourceQuota>("v1", "ResourceQuota", "small")).spec?.hard, {
      pods: "2",
      "requests.cpu": "1",
    });
    await t.kubectl.run`create pdb keep --selector=app=web --min-available=50%`;
    assert.equal(
      (await t.get<PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "keep")).spec?.minAvailable,
      "50%",
    );
    const name = `${t.namespace}-high`;
    await t.kubectl.run`create priorityclass ${name} --value=1000 --description=important`;
    assert.equal(await t.kubectl.run`get priorityclass ${name} -o jsonpath={.value}`, "1000");
    await t.kubectl.run`delete priorityclass ${name}`;
  });

  fact("a namespace is created, and ends with everything in it", async (t) => {
    const name = `${t.namespace}-more`;
    assert.equal(await t.kubectl.run`create namespace ${name}`, `namespace/${name} created\n`);
    await t.kubectl.run`create configmap inside -n ${name}`;
    assert.equal(await t.kubectl.run`delete namespace ${name}`, `namespace "${name}" deleted\n`);
    assert.match(await t.kubectl.refused`get configmap inside -n ${name}`, /NotFound/);
    assert.match(await t.kubectl.refused`create configmap inside -n ${name}`, /namespaces ".*" not found/);
  });

  fact("--dry-run=client -o yaml prints the object and creates nothing", async (t) => {
    const said = await t.kubectl.run`create deployment web --image=nginx:1.29 --dry-run=client -o yaml`;
    assert.match(said, /^apiVersion: apps\/v1\nkind: Deployment\n/);
    assert.match(await t.kubectl.refused`get deployment web`, /NotFound/);
  });

  fact("-f - creates what it reads, with generated names", async (t) => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "some-" } };
    const said = await t.kubectl.fed(object).run`create -f -`;
    assert.match(said, /^configmap\/some-[bcdfghjklmnpqrstvwxz2456789]{5} created\n$/);
  });

  fact("token gives a token that is the service account", async (t) => {
    await t.kubectl.run`create serviceaccount robot`;
    const token = (
      await t.kubectl.run`create token robot --duration=20m --audience=https://kubernetes.default.svc.cluster.local`
    ).trim();
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
      sub: string;
      exp: number;
      iat: number;
    };
    assert.equal(claims.sub, `system:serviceaccount:${t.namespace}:robot`);
    assert.equal(claims.exp - claims.iat, 1200);
    const said = await t.kubectl.with({}).json<{
      status: { authenticated: boolean; user: { username: string } };
    }>`create --raw /apis/authentication.k8s.io/v1/tokenreviews -f ${review(t.target.home, t.namespace, token)}`;
    assert.deepEqual([said.status.authenticated, said.status.user.username], [true, claims.sub]);
  });
});

function review(home: string, name: string, token: string): string {
  const file = join(home, `${name}-${process.hrtime.bigint()}.json`);
  writeFileSync(file, JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } }));
  return file;
}

kubectlFacts("run and expose", (fact) => {
  fact("run creates a pod and may wait for its output", async (t) => {
    assert.equal(
      await t.kubectl.run`run one --image=busybox:1.37 --restart=Never --labels=a=b --env=X=y -- sleep 1`,
      "pod/one created\n",
    );
    const { spec, metadata } = await t.pod("one");
    assert.deepEqual(
      [spec?.restartPolicy, metadata.labels?.["a"], spec?.containers[0]?.args],
      ["Never", "b", ["sleep", "1"]],
    );
  });

  fact("run --rm -i prints what the pod printed, and deletes it", async (t) => {
    const said = await t.kubectl.fed("from outside\n")
      .run`run one --image=busybox:1.37 --restart=Never --rm -i --command -- sh -c ${"echo begin; cat; echo end"}`;
    // Which lines the attachment still sees is a race of the container against the client; what is there is in order.
    assert.match(said, /end\n[\s\S]*pod "one" deleted/);
    assert.match(await t.kubectl.refused`get pod one`, /NotFound/);
  });

  fact("expose makes a service with the selector and the ports of a deployment", async (t) => {
    await t.kubectl.run`create deployment web --image=busybox:1.37 --replicas=0 --port=8080`;
    assert.equal(
      await t.kubectl.run`expose deployment web --port=80 --target-port=8080 --name=front`,
      "service/front exposed\n",
    );
    const { spec } = await t.get<Service>("v1", "Service", "front");
    assert.deepEqual(
      [spec?.selector, spec?.ports],
      [{ app: "web" }, [{ port: 80, protocol: "TCP", targetPort: 8080 }]],
    );
  });

  fact("a pod that is exposed is an endpoint once it is ready", async (t) => {
    await t.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "one", labels: { app: "one" } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ ...shell("sleep 1000"), ports: [{ containerPort: 8080 }] }],
      },
    });
    await t.kubectl.run`expose pod one --port=80 --target-port=8080`;
    const { status } = await t.ready("one");
    const expected = `one   ${status?.podIP}:8080`;
    await eventually(async () => (await t.kubectl.run`get endpoints one --no-headers`).startsWith(expected));
  });
});
