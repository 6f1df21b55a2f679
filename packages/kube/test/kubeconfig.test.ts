import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DhowError } from "@dhow/base";
import { defaultKubeconfigPath, loadKubeconfig } from "@dhow/kube";
import { temporaryFolder } from "@dhow/testkit";

const config = `
current-context: one
clusters:
- name: here
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${Buffer.from("CA").toString("base64")}}
- name: there
  cluster: {server: "https://there/k8s", certificate-authority: ca.crt, tls-server-name: kubernetes}
contexts:
- {name: one, context: {cluster: here, user: token, namespace: apps}}
- {name: two, context: {cluster: there, user: certificate}}
- {name: plugin, context: {cluster: here, user: plugin}}
- {name: lost, context: {cluster: gone, user: token}}
users:
- {name: token, user: {token: secret}}
- {name: certificate, user: {client-certificate: me.crt, client-key-data: ${Buffer.from("KEY").toString("base64")}}}
- {name: plugin, user: {exec: {command: kubelogin}}}
`;

test("the current context, with inline material", () => {
  assert.deepEqual(loadKubeconfig(config), {
    context: "one",
    namespace: "apps",
    server: "https://127.0.0.1:6443",
    ca: "CA",
    token: "secret",
  });
});

test("a named context, with files beside the kubeconfig", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "config"), config);
  writeFileSync(join(folder.path, "ca.crt"), "CA FILE");
  writeFileSync(join(folder.path, "me.crt"), "CERTIFICATE");
  assert.deepEqual(loadKubeconfig(join(folder.path, "config"), "two"), {
    context: "two",
    namespace: "default",
    server: "https://there/k8s",
    ca: "CA FILE",
    serverName: "kubernetes",
    clientCertificate: "CERTIFICATE",
    clientKey: "KEY",
  });
});

const refused: [string, () => unknown, RegExp][] = [
  ["an unknown context", () => loadKubeconfig(config, "three"), /has no context "three"/],
  ["an unknown cluster", () => loadKubeconfig(config, "lost"), /has no cluster "gone"/],
  ["a credential plugin", () => loadKubeconfig(config, "plugin"), /credential plugin/],
  ["a missing file", () => loadKubeconfig("/nowhere/config"), /\/nowhere\/config cannot be read/],
  ["no YAML", () => loadKubeconfig("{\n"), /is not YAML/],
];

for (const [what, load, message] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      load,
      (error) => error instanceof DhowError && message.test(error.message) && error.instead !== undefined,
    );
  });
}

test("KUBECONFIG's first file, else the one in the home folder", () => {
  assert.equal(defaultKubeconfigPath({ KUBECONFIG: ":/a:/b", HOME: "/home/me" }), "/a");
  assert.equal(defaultKubeconfigPath({ HOME: "/home/me" }), "/home/me/.kube/config");
});
