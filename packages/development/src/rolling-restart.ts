import { messageOf, type Reporter, sleep, systemClock } from "@dhow/base";
import { type Deployment, type KubeClient, type Pod, readText } from "@dhow/kube";

export interface RollingRestartOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly service: string;
  readonly reporter: Reporter;
}

/** How often it is looked whether a pod is ready that another one's turn waits for, and after how long that is said (milliseconds). */
const interval = 100;
const worthSaying = 1000;

/** What happens to a pod when its turn comes: `alone` where nobody else is to serve, `none` where it must go on for the time being. */
type Turn = "one of several" | "alone" | "none";

/**
 * Brings the newest code to all pods of a service, one after the other, so that one of several always serves: the last one that is ready keeps
 * the old code until another is, as under a Deployment's `maxUnavailable` (pkg/controller/deployment/rolling.go). An edit that comes meanwhile
 * begins anew with the pod that is under way: in the end all of them run the newest code. Where new code does not become ready, the others go
 * on with the old.
 */
export class RollingRestart {
  readonly #options: RollingRestartOptions;
  /** Counts the edits that the pods are to run. */
  #edition = 0;
  /** What the present edition is made of, until all pods run it. */
  readonly #files = new Set<string>();
  #held = false;
  #running: Promise<void> | undefined;
  /** The pod that is under way, whose turn is first when another edit comes. */
  #first: string | undefined;
  #superseded = new AbortController();

  constructor(options: RollingRestartOptions) {
    this.#options = options;
  }

  /** No other pod is to read the files before the next `begin`: they are being written, or cannot be parsed. */
  hold(): void {
    this.#held = true;
  }

  /** There is new code, made by changes of these files. */
  begin(files: readonly string[]): void {
    for (const file of files) this.#files.add(file);
    this.#held = false;
    this.#edition++;
    this.#superseded.abort();
    this.#running ??= this.#run();
  }

  /** Resolves when no pod is under way; those that have not had their turn keep their code. */
  async close(): Promise<void> {
    this.#held = true;
    this.#superseded.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let done = 0; done < this.#edition && !this.#held;) {
      const edition = this.#edition;
      this.#superseded = new AbortController();
      try {
        if (await this.#roll(edition)) this.#files.clear();
      } catch (error) {
        if (!this.#superseded.signal.aborted) this.#report("source.failed", "error", messageOf(error));
      }
      done = edition;
    }
    this.#running = undefined;
  }

  /** Gives every pod one edition of the code. False where another came, or may come, meanwhile. */
  async #roll(edition: number): Promise<boolean> {
    const start = performance.now();
    // Pods that come later read the new code by themselves.
    for (const pod of await this.#pods()) {
      if (pod.spec?.nodeName === undefined) continue;
      const turn = await this.#turnOf(pod, edition);
      if (this.#stale(edition)) return false;
      this.#first = pod.metadata.uid;
      await this.#restart(pod, turn === "alone");
      if (edition !== this.#edition) return false;
      this.#first = undefined;
    }
    const files = [...this.#files];
    const milliseconds = Math.round(performance.now() - start);
    this.#report("source.restarted", "info", `${files.join(", ")}: restarted in ${milliseconds} ms`, {
      files,
      milliseconds,
    });
    return true;
  }

  #stale(edition: number): boolean {
    return this.#held || edition !== this.#edition;
  }

  /** Waits until a pod may be taken out of service, or until that is no longer asked for. */
  async #turnOf(pod: Pod, edition: number): Promise<Turn> {
    const { signal } = this.#superseded;
    const sayAt = systemClock.now() + worthSaying;
    for (let said = false; ; await sleep(systemClock, interval, signal)) {
      const [pods, wanted] = await Promise.all([this.#pods(), this.#wanted()]);
      const turn = turnAmong(pods, pod, wanted);
      if (turn !== "none" || this.#stale(edition)) return turn;
      if (said || systemClock.now() < sayAt) continue;
      said = true;
      const sibling = pods.find(({ metadata }) => metadata.uid !== pod.metadata.uid)?.metadata.name ?? "another pod";
      this.#report("source.waiting", "info", `${pod.metadata.name} keeps the old code until ${sibling} is ready`);
    }
  }

  /** Those that run or will; those that do not serve come first: nobody misses them. */
  async #pods(): Promise<Pod[]> {
    const { client, namespace, service } = this.#options;
    const { items } = await client.list<Pod>(
      { apiVersion: "v1", kind: "Pod", namespace },
      { labelSelector: `app=${service}` },
    );
    const rank = (pod: Pod) => (pod.metadata.uid === this.#first ? 0 : isReady(pod) ? 2 : 1);
    return items.filter(isActive).sort((a, b) => rank(a) - rank(b));
  }

  /** How many pods there should be; one that is to take the place of another may not be there yet. */
  async #wanted(): Promise<number> {
    const { client, namespace, service: name } = this.#options;
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace, name };
    return (await client.find<Deployment>(ref))?.spec?.replicas ?? 0;
  }

  /**
   * The kubelet answers when the new code is ready, so that the next pod's turn comes only then; where it does not become so, that turn never
   * comes, and the other pods go on with the old code.
   */
  async #restart(pod: Pod, alone: boolean): Promise<void> {
    const { client, service } = this.#options;
    const { namespace, name } = pod.metadata;
    const restart = `/api/v1/nodes/${pod.spec?.nodeName}/proxy/restart/${namespace}/${name}/${service}`;
    const path = alone ? `${restart}?alone` : restart;
    const { signal } = this.#superseded;
    const answer = await client.raw({ method: "POST", path, headers: {}, signal });
    const text = await readText(answer.body);
    if (answer.status >= 300 && answer.status !== 404)
      throw new Error(`${name} does not run with the new code: ${text.trim()}`);
  }

  #report(kind: string, level: "info" | "error", message: string, data?: Record<string, unknown>): void {
    const { reporter, service } = this.#options;
    reporter.report({ kind, level, subject: service, message, ...(data && { data }) });
  }
}

function turnAmong(pods: readonly Pod[], pod: Pod, wanted: number): Turn {
  const others = pods.filter(({ metadata }) => metadata.uid !== pod.metadata.uid);
  if (others.some(isReady)) return "one of several";
  const serves = pods.some((one) => one.metadata.uid === pod.metadata.uid && isReady(one));
  return serves && Math.max(others.length + 1, wanted) > 1 ? "none" : "alone";
}

/** As the controllers count (IsPodActive in pkg/controller/controller_utils.go). */
function isActive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded";
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
}
