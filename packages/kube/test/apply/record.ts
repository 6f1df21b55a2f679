import { isStatusError, type KubeClient, type KubeObject, type Status } from "@dhow/kube";
import type { Scenario, Step } from "./scenarios.ts";

/** What a real API server made of a step. */
export interface Recorded {
  readonly title: string;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  readonly error?: Status;
}

/** The object that a step applies, whole. */
export function appliedOf(scenario: Scenario, step: Step, namespace: string): KubeObject {
  const { metadata = {}, ...rest } = (step.apply ?? step.create ?? {}) as { metadata?: object };
  const { apiVersion, kind } = scenario;
  return { apiVersion, kind, metadata: { name: "object", namespace, ...metadata }, ...rest };
}

/** Sends all steps of a scenario to a real server. */
export async function record(client: KubeClient, namespace: string, scenario: Scenario): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  const { apiVersion, kind } = scenario;
  const ref = { apiVersion, kind, namespace, name: "object" };
  let before: KubeObject | undefined;
  for (const step of scenario.steps) {
    const said = { title: step.title, ...(before ? { before } : {}) };
    try {
      const after = await send(client, scenario, step, namespace);
      recorded.push({ ...said, after });
      before = after;
    } catch (error) {
      if (!isStatusError(error)) throw error;
      recorded.push({ ...said, error: error.status });
    }
  }
  await client.patch(ref, "merge", { metadata: { finalizers: null } });
  await client.delete(ref);
  return recorded;
}

async function send(client: KubeClient, scenario: Scenario, step: Step, namespace: string): Promise<KubeObject> {
  const { apiVersion, kind } = scenario;
  const ref = { apiVersion, kind, namespace, name: "object" };
  const fieldManager = step.manager;
  const options = { fieldManager, ...(step.subresource ? { subresource: step.subresource } : {}) };
  const whole = appliedOf(scenario, step, namespace);
  if (step.apply) return client.apply(whole, { ...options, ...(step.force ? { force: true } : {}) });
  if (step.create) return client.create(whole, options);
  if (step.put) return client.update(step.put(await client.get(ref)), options);
  if (step.merge) return client.patch(ref, "merge", step.merge, options);
  return client.patch(ref, "json", step.json, options);
}
