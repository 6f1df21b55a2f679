import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadSystem } from "@dhow/development";
import type { StorageClass } from "@dhow/kube";

const folder = fileURLToPath(new URL("../../systems/bookmeup", import.meta.url));
const command = fileURLToPath(new URL("../../packages/cli/bin/dhow.js", import.meta.url));

export function loadBookMeUp(environment = "development") {
  return loadSystem(folder, environment);
}

/** `dhow apply systems/bookmeup --kubeconfig …`, which ends when everything is ready; gives what it says. Throws where it ends otherwise. */
export async function applyBookMeUp(kubeconfig: string): Promise<string> {
  const words = [command, "apply", folder, "--kubeconfig", kubeconfig];
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 150_000 });
  return stdout;
}

/** Volumes as Kubernetes' own controller manager provides them, for a machine alone: Dhow's provisioner is a controller of Dhow's. */
export const hostPathClass: StorageClass = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "host-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "kubernetes.io/host-path",
  reclaimPolicy: "Delete",
  volumeBindingMode: "Immediate",
};

interface Asked {
  readonly method?: string;
  readonly body?: object;
  readonly token?: string;
}

// Answers of every kind are looked at.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = any;

/** Somebody who uses BookMeUp through its entry point. */
export class Person {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  static async register(url: string, name: string): Promise<Person> {
    const signIn = { email: `${randomUUID()}@example.org`, password: "correct horse battery" };
    await ask(`${url}/auth/register`, 201, { body: { ...signIn, name } });
    const { accessToken } = await ask(`${url}/auth/login`, 200, { body: signIn });
    return new Person(url, accessToken);
  }

  /** A service that can be booked around the clock; gives its id. */
  async publish(title: string): Promise<string> {
    const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const openingHours = days.map((day) => ({ day, from: "00:00", to: "24:00" }));
    const price = { amount: 4500, currency: "CHF" };
    const body = { title, description: title, durationMinutes: 60, price, timeZone: "Europe/Zurich", openingHours };
    return (await this.#ask("/services", 201, { body })).id;
  }

  /** Takes the first free slot three days from now; gives the booking's id. */
  async book(service: string): Promise<string> {
    const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
    const { slots } = await this.#ask(`/services/${service}/slots?date=${day}`, 200);
    return (await this.#ask(`/services/${service}/bookings`, 201, { body: { start: slots[0].start } })).id;
  }

  async bookings(): Promise<string[]> {
    const { items } = await this.#ask("/profile/bookings", 200);
    return items.map(({ id }: { id: string }) => id);
  }

  #ask(path: string, status: number, asked: Asked = {}): Promise<Answer> {
    return ask(`${this.#url}${path}`, status, { ...asked, token: this.#token });
  }
}

async function ask(
  url: string,
  status: number,
  { body, token, method = body ? "POST" : "GET" }: Asked,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      "idempotency-key": randomUUID(),
      ...(body ? { "content-type": "application/json" } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  assert.equal(response.status, status, `${method} ${url}: ${text}`);
  return JSON.parse(text);
}
