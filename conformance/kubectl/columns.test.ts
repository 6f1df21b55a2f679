import assert from "node:assert/strict";
import { join } from "node:path";
import type {
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  Pod,
  PodDisruptionBudget,
  ResourceQuota,
  StatefulSet,
} from "@dhow/kube";
import { eventually, golden } from "@dhow/testkit";
import { kubectlFacts, type Trial } from "../fact.ts";
import { sampled, samples } from "./samples.ts";

/** Recorded on a real cluster: `UPDATE_GOLDEN=1 conformance/real/run.sh conformance/kubectl/columns.test.ts`. */
const recorded = join(import.meta.dirname, "recorded");

async function createSamples(t: Trial): Promise<void> {
  await t.create(...samples(t.namespace));
  await eventually(async () => {
    const [pod, deployment, set, daemon, job, scaler, budget, quota] = await Promise.all([
      t.get<Pod>("v1", "Pod", "waiting"),
      t.get<Deployment>("apps/v1", "Deployment", "web"),
      t.get<StatefulSet>("apps/v1", "StatefulSet", "db"),
      t.get<DaemonSet>("apps/v1", "DaemonSet", "agent"),
      t.get<Job>("batch/v1", "Job", "later"),
      t.get<HorizontalPodAutoscaler>("autoscaling/v2", "HorizontalPodAutoscaler", "web"),
      t.get<PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "web"),
      t.get<ResourceQuota>("v1", "ResourceQuota", "small"),
    ]);
    const observed = [deployment, set, daemon].every(({ status }) => status?.observedGeneration === 1);
    const judged = [pod, job, scaler, budget].every(({ status }) => (status?.conditions?.length ?? 0) > 0);
    return observed && judged && quota.status?.used?.["secrets"] === "1";
  }, 60_000);
}

/** What is another with each run: the namespace, ages, times, identities, hashes; and the width of columns with them. */
function settled(text: string, t: Trial): string {
  return text
    .replaceAll(t.namespace, "<namespace>")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uid>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "<time>")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, "<time>")
    .replaceAll(/(Resource Version: +)\d+/g, "$1<version>")
    .replaceAll(/\b10\.96\.\d+\.\d+/g, "<address>")
    .replaceAll(/\b(3[0-2]\d{3})\b/g, "<port>")
    .replaceAll(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, "<time>")
    .replaceAll(/\b(?:\d+[hms])+(?= |$)/gm, "<age>")
    .replaceAll(/^Events:[^]*?(?=\n\n|$(?![^]))/gm, "Events: …")
    .replaceAll(/kube-api-access-\w{5}/g, "kube-api-access-<hash>")
    .replaceAll(/(web|agent|db)-[0-9a-f]{8,10}\b/g, "$1-<hash>")
    .replaceAll(/(pod-template-hash|controller-revision-hash)=[0-9a-f]+/g, "$1=<hash>")
    .replaceAll(/ {2,}/g, "  ")
    .replaceAll(/[ \t]+$/gm, "");
}

kubectlFacts(
  "tables and descriptions",
  (fact, version) => {
    fact("get and get -o wide print the rows that a real cluster prints, for every kind", async (t) => {
      await createSamples(t);
      let text = "";
      for (const [resource, names] of sampled) {
        for (const wide of [[], ["-o", "wide"]]) {
          const said = await t.kubectl.run`get ${resource} ${names.split(" ")} ${wide}`;
          text += `$ kubectl get ${[resource, ...names.split(" "), ...wide].join(" ")}\n${said}\n`;
        }
      }
      golden(join(recorded, "tables.txt"), settled(text, t));
    });

    fact("describe prints what it prints of a real cluster's objects, for every kind", async (t) => {
      await createSamples(t);
      let text = "";
      for (const [resource, names] of sampled) {
        const said = await t.kubectl.run`describe ${resource} ${names.split(" ")}`;
        text += `$ kubectl describe ${resource} ${names}\n${said}\n`;
      }
      golden(join(recorded, `descriptions-${version}.txt`), settled(text, t));
    });

    fact("cluster-wide kinds have the columns of a real cluster", async (t) => {
      const heads: Record<string, string> = {
        namespaces: "NAME STATUS AGE",
        nodes: "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME",
        storageclasses: "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE",
        ingressclasses: "NAME CONTROLLER PARAMETERS AGE",
        priorityclasses: "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY",
        clusterroles: "NAME CREATED AT",
        clusterrolebindings: "NAME ROLE AGE USERS GROUPS SERVICEACCOUNTS",
      };
      for (const [resource, columns] of Object.entries(heads)) {
        const [head] = (await t.kubectl.run`get ${resource} -o wide`).split("\n");
        assert.equal(
          head
            ?.trim()
            .split(/\s{2,}/)
            .join(" "),
          columns,
          resource,
        );
      }
    });
  },
  3,
);
