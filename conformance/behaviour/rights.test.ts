import assert from "node:assert/strict";
import { httpTransport, type KubeObject, loadKubeconfig } from "@dhow/kube";
import { eventually } from "@dhow/testkit";
import { fact, facts, refusal, type Trial } from "../fact.ts";

const rbac = "rbac.authorization.k8s.io/v1";
const role = (name: string, rules: object[]) => ({ apiVersion: rbac, kind: "Role", metadata: { name }, rules });
const rule = (verbs: string[], resources: string[], more: object = {}) => ({
  apiGroups: [""],
  resources,
  verbs,
  ...more,
});
const binding = (name: string, subjects: object[], roleRef: object = { kind: "Role", name }) => ({
  apiVersion: rbac,
  kind: "RoleBinding",
  metadata: { name },
  subjects,
  roleRef: { apiGroup: "rbac.authorization.k8s.io", ...roleRef },
});
const user = (name: string) => ({ kind: "User", apiGroup: "rbac.authorization.k8s.io", name });
const group = (name: string) => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });

interface Answer {
  readonly status: number;
  readonly body: KubeObject & { message?: string; reason?: string; code?: number };
}

/** One request as somebody else: by impersonation, or by a token in place of the client's certificate. */
async function as(
  t: Trial,
  { authorization, ...headers }: Record<string, string>,
  path: string,
  method = "GET",
  body?: object,
): Promise<Answer> {
  const { server, ca } = loadKubeconfig(t.target.kubeconfig);
  const transport = authorization ? httpTransport({ server, token: authorization, ...(ca ? { ca } : {}) }) : undefined;
  const send = transport ? transport.request.bind(transport) : t.client.raw.bind(t.client);
  const { status, body: answered } = await send({
    method,
    path: path.replace("{ns}", t.namespace),
    headers: { accept: "application/json", "content-type": "application/json", ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  let text = "";
  if (typeof answered === "string") text = answered;
  else if (answered instanceof Uint8Array) text = Buffer.from(answered).toString();
  else for await (const piece of answered) text += Buffer.from(piece as Uint8Array).toString();
  transport?.close();
  return { status, body: (text.startsWith("{") ? JSON.parse(text) : { message: text }) as Answer["body"] };
}
const jane = (t: Trial) => ({ "impersonate-user": `jane-${t.namespace}` });
const maps = "/api/v1/namespaces/{ns}/configmaps";

/** Rights are read from a cache: a while may pass before a new one holds. */
const allowed = (t: Trial, headers: Record<string, string>, path: string) =>
  eventually(async () => (await as(t, headers, path)).status === 200);

facts("rights", () => {
  fact("who has no rights is told what they may not do, where, and in which group", async (t) => {
    const { status, body } = await as(t, jane(t), maps);
    assert.deepEqual(
      [status, body.reason, body.message],
      [
        403,
        "Forbidden",
        `configmaps is forbidden: User "jane-${t.namespace}" cannot list resource "configmaps" in API group "" in the namespace "${t.namespace}"`,
      ],
    );
    const named = await as(t, jane(t), "/apis/apps/v1/namespaces/{ns}/deployments/web/scale");
    assert.equal(
      named.body.message,
      `deployments.apps "web" is forbidden: User "jane-${t.namespace}" cannot get resource "deployments/scale" in API group "apps" in the namespace "${t.namespace}"`,
    );
    const whole = await as(t, jane(t), "/api/v1/nodes");
    assert.equal(
      whole.body.message,
      `nodes is forbidden: User "jane-${t.namespace}" cannot list resource "nodes" in API group "" at the cluster scope`,
    );
  });

  fact("a role holds in its namespace for its verbs and its resources, and nowhere else", async (t) => {
    await t.create(
      role("reader", [rule(["get", "list"], ["configmaps"])]),
      binding("reader", [user(`jane-${t.namespace}`)]),
    );
    await allowed(t, jane(t), maps);
    assert.equal((await as(t, jane(t), "/api/v1/namespaces/default/configmaps")).status, 403);
    assert.equal((await as(t, jane(t), "/api/v1/namespaces/{ns}/secrets")).status, 403);
    assert.equal((await as(t, jane(t), `${maps}?watch=true&timeoutSeconds=1`)).status, 403);
    assert.equal((await as(t, jane(t), `${maps}/kube-root-ca.crt`, "DELETE")).status, 403);
  });

  fact("resourceNames restricts to names, and a list only where it selects one of them", async (t) => {
    await t.create(
      role("one", [rule(["get", "list"], ["configmaps"], { resourceNames: ["kube-root-ca.crt"] })]),
      binding("one", [user(`jane-${t.namespace}`)]),
    );
    await allowed(t, jane(t), `${maps}?fieldSelector=metadata.name%3Dkube-root-ca.crt`);
    assert.equal((await as(t, jane(t), maps)).status, 403);
    assert.equal((await as(t, jane(t), `${maps}/other`)).status, 403);
  });

  fact("a group has the rights of all who are in it; a service account is in two groups of its own", async (t) => {
    await t.create(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } },
      role("reader", [rule(["list"], ["configmaps"])]),
      binding("reader", [group(`system:serviceaccounts:${t.namespace}`), group(`crew-${t.namespace}`)]),
    );
    const robot = { "impersonate-user": `system:serviceaccount:${t.namespace}:robot` };
    await allowed(t, robot, maps);
    await allowed(t, { ...jane(t), "impersonate-group": `crew-${t.namespace}` }, maps);
    assert.equal((await as(t, jane(t), maps)).status, 403);
    assert.equal((await as(t, { "impersonate-user": "system:serviceaccount:default:default" }, maps)).status, 403);
  });

  fact("a cluster role bound in a namespace holds there only", async (t) => {
    await t.create(binding("view", [user(`jane-${t.namespace}`)], { kind: "ClusterRole", name: "view" }));
    await allowed(t, jane(t), maps);
    assert.equal((await as(t, jane(t), "/api/v1/configmaps")).status, 403);
    // view sees no secrets (bootstrappolicy/policy.go).
    assert.equal((await as(t, jane(t), "/api/v1/namespaces/{ns}/secrets")).status, 403);
  });

  fact("edit may write what runs, but gives no rights; admin gives them in its namespace", async (t) => {
    await t.create(
      binding("edit", [user(`jane-${t.namespace}`)], { kind: "ClusterRole", name: "edit" }),
      binding("admin", [user(`root-${t.namespace}`)], { kind: "ClusterRole", name: "admin" }),
    );
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "mine" } };
    await eventually(async () => (await as(t, jane(t), maps, "POST", map)).status === 201);
    const path = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
    const reader = role("reader", [rule(["list"], ["configmaps"])]);
    assert.equal((await as(t, jane(t), path, "POST", reader)).status, 403);
    const admin = { "impersonate-user": `root-${t.namespace}` };
    await eventually(async () => (await as(t, admin, path, "POST", reader)).status === 201);
  });

  fact("nobody gives a role more rights than they have, unless they may escalate", async (t) => {
    await t.create(
      role("giver", [
        { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["create"] },
        rule(["list"], ["configmaps"]),
      ]),
      binding("giver", [user(`jane-${t.namespace}`)]),
    );
    const path = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
    const give = (name: string, verbs: string[]) =>
      as(t, jane(t), path, "POST", role(name, [rule(verbs, ["configmaps"])]));
    await eventually(async () => (await give("same", ["list"])).status === 201);
    const { status, body } = await give("more", ["list", "delete"]);
    assert.deepEqual(
      [status, body.message],
      [
        403,
        `roles.rbac.authorization.k8s.io "more" is forbidden: user "jane-${t.namespace}" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["configmaps"], Verbs:["delete"]}`,
      ],
    );
  });

  fact("nobody binds a role whose rights they do not have, unless they may bind it", async (t) => {
    const bindings = { apiGroups: ["rbac.authorization.k8s.io"], resources: ["rolebindings"], verbs: ["create"] };
    const bind = {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles"],
      verbs: ["bind"],
      resourceNames: ["free"],
    };
    await t.create(
      role("binder", [bindings, bind]),
      role("free", [rule(["list"], ["secrets"])]),
      role("kept", [rule(["list"], ["secrets"])]),
      binding("binder", [user(`jane-${t.namespace}`)]),
    );
    const path = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings";
    const give = (name: string) => as(t, jane(t), path, "POST", binding(name, [user("joe")]));
    await eventually(async () => (await give("free")).status === 201);
    const { status, body } = await give("kept");
    assert.equal(status, 403);
    assert.match(
      body.message ?? "",
      /is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["list"\]\}$/,
    );
  });

  fact("a binding's role is never changed", async (t) => {
    await t.create(role("a", []), role("b", []), binding("bound", [user("jane")], { kind: "Role", name: "a" }));
    const error = await refusal(
      t.client.patch({ apiVersion: rbac, kind: "RoleBinding", namespace: t.namespace, name: "bound" }, "merge", {
        roleRef: { name: "b" },
      }),
    );
    assert.match(
      error.message,
      /^RoleBinding\.rbac\.authorization\.k8s\.io "bound" is invalid: roleRef: Invalid value: .*: cannot change roleRef$/,
    );
  });

  fact("rights on paths that are no resources come from nonResourceURLs", async (t) => {
    const name = t.namespace;
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
    await t.client.create({
      apiVersion: rbac,
      kind: "ClusterRole",
      metadata: { name },
      rules: [{ nonResourceURLs: ["/metrics", "/livez/*"], verbs: ["get"] }],
    });
    await t.client.create({
      apiVersion: rbac,
      kind: "ClusterRoleBinding",
      metadata: { name },
      subjects: [user(`jane-${name}`)],
      roleRef,
    });
    try {
      await allowed(t, jane(t), "/metrics");
      await allowed(t, jane(t), "/livez/ping");
      const { status, body } = await as(t, jane(t), "/logs");
      assert.deepEqual([status, body.message], [403, `forbidden: User "jane-${name}" cannot get path "/logs"`]);
      // Who is known may read what there is and which version it is (system:discovery, system:public-info-viewer).
      for (const path of ["/version", "/api", "/openapi/v3"])
        assert.equal((await as(t, jane(t), path)).status, 200, path);
    } finally {
      await t.client.delete({ apiVersion: rbac, kind: "ClusterRoleBinding", name });
      await t.client.delete({ apiVersion: rbac, kind: "ClusterRole", name });
    }
  });

  fact("an aggregated cluster role has the rules of those whose labels it selects", async (t) => {
    const name = t.namespace;
    const make = (suffix: string, more: object) =>
      t.client.create({
        apiVersion: rbac,
        kind: "ClusterRole",
        metadata: { name: `${name}-${suffix}`, labels: { part: name } },
        ...more,
      });
    await t.client.create({
      apiVersion: rbac,
      kind: "ClusterRole",
      metadata: { name },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: name } }] },
      rules: [],
    });
    try {
      await make("a", { rules: [rule(["list"], ["configmaps"])] });
      await make("b", { rules: [rule(["list"], ["secrets"])] });
      await eventually(async () => {
        const found = await t.client.get({ apiVersion: rbac, kind: "ClusterRole", name });
        return (
          JSON.stringify((found["rules"] as { resources: string[] }[]).map(({ resources }) => resources)) ===
          '[["configmaps"],["secrets"]]'
        );
      });
    } finally {
      for (const each of [name, `${name}-a`, `${name}-b`])
        await t.client.delete({ apiVersion: rbac, kind: "ClusterRole", name: each });
    }
  });
});

facts("impersonation", () => {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const whoami = async (t: Trial, headers: Record<string, string>) => {
    const { body } = await as(t, headers, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "POST", review);
    return (body["status"] as { userInfo: unknown } | undefined)?.userInfo ?? body.message;
  };

  fact("name, groups, uid and extra are those that the headers say", async (t) => {
    const headers = {
      "impersonate-user": "jane",
      "impersonate-group": "crew",
      "impersonate-uid": "u-1",
      "impersonate-extra-example.org%2fteam": "red",
    };
    assert.deepEqual(await whoami(t, headers), {
      username: "jane",
      uid: "u-1",
      groups: ["crew", "system:authenticated"],
      extra: { "example.org/team": ["red"] },
    });
  });

  fact("who is a service account by impersonation is in its groups", async (t) => {
    assert.deepEqual(await whoami(t, { "impersonate-user": `system:serviceaccount:${t.namespace}:robot` }), {
      username: `system:serviceaccount:${t.namespace}:robot`,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${t.namespace}`, "system:authenticated"],
    });
    // Who is anonymous is not among the authenticated, and may not even ask who they are.
    assert.match(
      JSON.stringify(await whoami(t, { "impersonate-user": "system:anonymous" })),
      /^"selfsubjectreviews\.authentication\.k8s\.io is forbidden: User \\"system:anonymous\\" cannot create/,
    );
  });

  fact("a group, a uid or an extra without a user is refused", async (t) => {
    const said = async (headers: Record<string, string>) => {
      const { status, body } = await as(t, headers, maps);
      assert.deepEqual([status, body.reason], [400, "BadRequest"]);
      return body.message;
    };
    const asked = (uid: string, groups: string) =>
      `requested &user.DefaultInfo{Name:"", UID:"${uid}", Groups:[]string${groups}, Extra:map[string][]string(nil)} without impersonating a user name`;
    assert.equal(await said({ "impersonate-group": "crew" }), asked("", '{"crew"}'));
    assert.equal(await said({ "impersonate-uid": "1" }), asked("1", "(nil)"));
    await said({ "impersonate-extra-a": "b" });
  });

  const robot = async (t: Trial) => {
    await t.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } });
    return { authorization: (await t.kubectl.run`create token robot`).trim() };
  };
  const robotIs = (t: Trial) => [{ kind: "ServiceAccount", name: "robot", namespace: t.namespace }];
  const said = async (t: Trial, headers: Record<string, string>, path = maps) => {
    const { status, body } = await as(t, headers, path);
    return status === 403 ? (body.message ?? "").replaceAll(t.namespace, "NS") : status;
  };

  fact("who may not impersonate is told the verb that is for such a user and such a request", async (t) => {
    const token = await robot(t);
    const cannot = (mode: string) =>
      `configmaps is forbidden: User "system:serviceaccount:NS:robot" cannot impersonate-on:${mode}:list resource "configmaps" in API group "" in the namespace "NS"`;
    assert.equal(await said(t, { ...token, "impersonate-user": "jane" }), cannot("user-info"));
    assert.equal(await said(t, { ...token, "impersonate-user": "system:node:n1" }), cannot("arbitrary-node"));
    const account = { ...token, "impersonate-user": `system:serviceaccount:${t.namespace}:other` };
    assert.equal(await said(t, account), cannot("serviceaccount"));
    // With groups of its own it is none that the mode is for.
    assert.equal(
      await said(t, { ...account, "impersonate-group": "crew" }),
      'serviceaccounts "other" is forbidden: User "system:serviceaccount:NS:robot" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "NS"',
    );
    assert.equal(
      await said(t, { ...token, "impersonate-user": "jane" }, "/healthz"),
      'forbidden: User "system:serviceaccount:NS:robot" cannot impersonate-on:user-info:get path "/healthz"',
    );
  });

  fact("impersonation may be granted for one user and one kind of request only", async (t) => {
    const name = t.namespace;
    const token = await robot(t);
    await t.create(
      role("on", [rule(["impersonate-on:user-info:list"], ["configmaps"])]),
      binding("on", robotIs(t)),
      binding("view", [user("jane")], { kind: "ClusterRole", name: "view" }),
    );
    const verbs = ["impersonate:user-info"];
    const identity = { apiGroups: ["authentication.k8s.io"], resources: ["users"], resourceNames: ["jane"], verbs };
    await t.client.create({ apiVersion: rbac, kind: "ClusterRole", metadata: { name }, rules: [identity] });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
    await t.client.create({
      apiVersion: rbac,
      kind: "ClusterRoleBinding",
      metadata: { name },
      subjects: robotIs(t),
      roleRef,
    });
    try {
      const asJane = { ...token, "impersonate-user": "jane" };
      await allowed(t, asJane, maps);
      assert.match(
        String(await said(t, asJane, `${maps}/kube-root-ca.crt`)),
        /cannot impersonate-on:user-info:get resource/,
      );
      assert.equal(
        await said(t, { ...token, "impersonate-user": "joe" }),
        'users.authentication.k8s.io "joe" is forbidden: User "system:serviceaccount:NS:robot" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
      );
      assert.equal(
        await said(t, { ...asJane, "impersonate-group": "crew" }),
        'groups.authentication.k8s.io "crew" is forbidden: User "system:serviceaccount:NS:robot" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope',
      );
    } finally {
      await t.client.delete({ apiVersion: rbac, kind: "ClusterRoleBinding", name });
      await t.client.delete({ apiVersion: rbac, kind: "ClusterRole", name });
    }
  });
});

facts("access reviews", () => {
  const attributes = (t: Trial, verb: string, resource: string) => ({ namespace: t.namespace, verb, resource });
  const ask = async (t: Trial, kind: string, spec: object, headers: Record<string, string> = {}) => {
    const space = kind === "LocalSubjectAccessReview" ? `/namespaces/${t.namespace}` : "";
    const path = `/apis/authorization.k8s.io/v1${space}/${kind.toLowerCase()}s`;
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind,
      metadata: space ? { namespace: t.namespace } : {},
      spec,
    };
    const answer = await as(t, headers, path, "POST", body);
    return (answer.status < 300 ? answer.body["status"] : answer.body.message) as {
      allowed?: boolean;
      reason?: string;
    };
  };

  fact("one asks what one may oneself, and what others may", async (t) => {
    await t.create(role("reader", [rule(["list"], ["configmaps"])]), binding("reader", [user(`jane-${t.namespace}`)]));
    await allowed(t, jane(t), maps);
    const list = { resourceAttributes: attributes(t, "list", "configmaps") };
    const reason = `RBAC: allowed by RoleBinding "reader/${t.namespace}" of Role "reader" to User "jane-${t.namespace}"`;
    assert.deepEqual(await ask(t, "SelfSubjectAccessReview", list, jane(t)), { allowed: true, reason });
    assert.deepEqual(await ask(t, "SubjectAccessReview", { ...list, user: `jane-${t.namespace}` }), {
      allowed: true,
      reason,
    });
    assert.deepEqual(await ask(t, "LocalSubjectAccessReview", { ...list, user: `jane-${t.namespace}` }), {
      allowed: true,
      reason,
    });
    const other = { resourceAttributes: attributes(t, "delete", "configmaps") };
    assert.deepEqual(await ask(t, "SelfSubjectAccessReview", other, jane(t)), { allowed: false });
    const path = { nonResourceAttributes: { path: "/logs", verb: "get" } };
    assert.equal((await ask(t, "SelfSubjectAccessReview", path, jane(t))).allowed, false);
  });

  fact("a review of resources and paths at once is refused", async (t) => {
    const both = {
      resourceAttributes: attributes(t, "get", "pods"),
      nonResourceAttributes: { path: "/", verb: "get" },
    };
    assert.match(
      JSON.stringify(await ask(t, "SelfSubjectAccessReview", both)),
      /cannot be specified in combination with resourceAttributes/,
    );
  });

  fact("a token review says whose a token is, and that nonsense is nobody's", async (t) => {
    await t.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } });
    const token = (await t.kubectl.run`create token robot --audience=shop`).trim();
    const look = async (spec: object) =>
      (
        await as(t, {}, "/apis/authentication.k8s.io/v1/tokenreviews", "POST", {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenReview",
          spec,
        })
      ).body["status"] as { authenticated?: boolean; user?: { username: string }; audiences?: string[] };
    const known = await look({ token, audiences: ["shop", "other"] });
    assert.deepEqual(
      [known.authenticated, known.user?.username, known.audiences],
      [true, `system:serviceaccount:${t.namespace}:robot`, ["shop"]],
    );
    assert.notEqual((await look({ token })).authenticated, true);
    assert.notEqual((await look({ token: "nonsense" })).authenticated, true);
  });

  fact("a token ends with the account that it is of", async (t) => {
    await t.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } });
    const token = (await t.kubectl.run`create token robot`).trim();
    assert.equal((await as(t, { authorization: token }, "/version")).status, 200);
    await t.kubectl.run`delete serviceaccount robot`;
    const { body } = await eventually(async () => {
      const answer = await as(t, { authorization: token }, "/version");
      return answer.status === 401 ? answer : undefined;
    }, 40_000);
    assert.deepEqual([body.reason, body.message], ["Unauthorized", "Unauthorized"]);
  });
});
