import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "@dhow/kube";
import { eventually, temporaryFolder } from "@dhow/testkit";
import { oneNode, shell } from "../support/one-node.ts";

const cases: readonly [asks: string, spec: Partial<PodSpec>, container: object, reason: string, message: RegExp][] = [
  [
    "hostNetwork",
    { hostNetwork: true },
    {},
    "HostNetworkNotSupported",
    /^hostNetwork is not supported.*use a Service$/,
  ],
  ["hostPID", { hostPID: true }, {}, "HostPIDNotSupported", /^hostPID is not supported/],
  ["hostIPC", { hostIPC: true }, {}, "HostIPCNotSupported", /^hostIPC is not supported.*emptyDir$/],
  [
    "privileged",
    {},
    { securityContext: { privileged: true } },
    "PrivilegedNotSupported",
    /^privileged is not supported/,
  ],
  [
    "hostPort",
    {},
    { ports: [{ containerPort: 80, hostPort: 8080 }] },
    "HostPortNotSupported",
    /^hostPort 8080 is.*NodePort/,
  ],
];

for (const [asks, spec, container, reason, message] of cases) {
  test(`a pod that asks for ${asks} waits and says why, and nothing of it runs`, async () => {
    using folder = temporaryFolder();
    await using node = await oneNode(folder.path);
    node.run("p", { ...spec, containers: [shell("c", "echo ran", container)] });
    const { status } = await node.until(
      "p",
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason,
    );
    assert.equal(status?.phase, "Pending");
    assert.match(status?.containerStatuses?.[0]?.state?.waiting?.message ?? "", message);
    await eventually(() =>
      node.events().some((event) => event.startsWith("Failed: Error: ") && message.test(event.slice(15))),
    );
    assert.ok(!node.events().some((event) => event.startsWith("Started")));
  });
}
