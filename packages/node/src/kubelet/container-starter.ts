import { DhowError, messageOf } from "@dhow/base";
import type { Container, Pod } from "@dhow/kube";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import type { RunnableImage } from "../images/images.ts";
import type { ContainerExit, PodSandbox } from "../sandbox/sandbox.ts";
import { containerConfig } from "./container-config.ts";
import { type NodeContext, podFacts } from "./context.ts";
import { ContainerConfigError, containerEnvironment } from "./environment/environment.ts";
import { runHook } from "./hooks.ts";
import { readLog } from "./logs/log-reader.ts";
import { LogWriter, removeLogs } from "./logs/log-writer.ts";
import { type ContainerInstance, latest, type PodRecord } from "./pod-record.ts";
import { RunningContainer } from "./running-container.ts";
import { StartFailure } from "./start-failure.ts";
import { refuseUnsupported } from "./unsupported.ts";
import type { MountedVolume } from "./volumes/pod-volumes.ts";

export interface StartInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly record: PodRecord;
  readonly sandbox: PodSandbox;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly event: (container: Container, type: "Normal" | "Warning", reason: string, message: string) => void;
}

/** How many runs of a container are kept: the present one and the one before it, for its log and lastState. */
const keptRuns = 2;
const maximumMessage = 4096;
const fallbackLines = 80;
const fallbackBytes = 2048;

/** Makes containers of one node's pods. */
export class ContainerStarter {
  readonly #context: NodeContext;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  logPath(uid: string, container: string, attempt: number): string {
    return join(this.#context.podsFolder, uid, "logs", container, `${attempt}.log`);
  }

  /** Finds the image, makes the configuration, starts the program. Throws a StartFailure. */
  async start(given: StartInput): Promise<RunningContainer> {
    const { container, record, sandbox } = given;
    const { clock } = this.#context;
    this.#refuse(given);
    const last = latest(record, container.name);
    const input = last?.replaced ? problemsOnly(given) : given;
    const { event } = input;
    const image = await this.#image(input);
    const attempt = (last?.attempt ?? -1) + 1;
    const replacements = (last?.replacements ?? 0) + (last?.replaced ? 1 : 0);
    const id = randomBytes(32).toString("hex");
    const terminationLog = this.#terminationLog(record.uid, container.name, attempt);
    const config = await this.#config(input, image, id, terminationLog);
    const { user, group, supplementalGroups } = config;
    const instance: ContainerInstance = {
      id,
      name: container.name,
      attempt,
      ...(replacements > 0 && { replacements }),
      sandbox: record.sandbox,
      image: container.image ?? "",
      imageID: image.digest,
      user: { uid: user, gid: group, supplementalGroups: [...supplementalGroups] },
      state: "created",
    };
    const log = new LogWriter(this.logPath(record.uid, container.name, attempt), clock);
    this.#remember(record, instance);
    event(container, "Normal", "Created", "Container created");
    try {
      const process = await sandbox.start(config);
      instance.state = "running";
      instance.startedAt = clock.now();
      this.#context.records.save(record);
      event(container, "Normal", "Started", "Container started");
      return new RunningContainer(container, instance, process, log, clock, image.stopSignal);
    } catch (error) {
      log.close();
      const message = messageOf(error);
      Object.assign(instance, { state: "exited", exitCode: 128, reason: "StartError", message, startedAt: 0 });
      instance.finishedAt = clock.now();
      this.#context.records.save(record);
      event(container, "Warning", "Failed", `Error: ${message}`);
      throw new StartFailure("RunContainerError", message);
    }
  }

  /** Writes down how a container ended, with its termination message. */
  async noteExit(
    record: PodRecord,
    container: Container,
    instance: ContainerInstance,
    exit: ContainerExit,
  ): Promise<void> {
    instance.exitCode = exit.oomKilled ? 137 : exit.exitCode;
    instance.reason = exit.oomKilled ? "OOMKilled" : exit.exitCode === 0 ? "Completed" : "Error";
    instance.finishedAt = this.#context.clock.now();
    const message = await this.#terminationMessage(record, container, instance);
    if (message) instance.message = message;
    instance.state = "exited";
    this.#context.records.save(record);
  }

  /** The postStart hook, where the container has one; gives what went wrong. */
  async postStart(input: StartInput, running: RunningContainer, signal: AbortSignal): Promise<string | undefined> {
    const { pod, container, sandbox } = input;
    const handler = container.lifecycle?.postStart;
    if (!handler) return undefined;
    const hook = runHook(handler, {
      pod,
      container,
      process: running.process,
      address: sandbox.address,
      clock: this.#context.clock,
      timeoutMilliseconds: 2 ** 31 - 1,
      signal,
    });
    const given = Promise.withResolvers<undefined>();
    const giveUp = () => given.resolve(undefined);
    signal.addEventListener("abort", giveUp, { once: true });
    void running.exited.then(giveUp);
    try {
      return await Promise.race([hook, given.promise]);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #refuse({ container, event, pod }: StartInput): void {
    try {
      refuseUnsupported(pod, container);
    } catch (error) {
      event(container, "Warning", "Failed", `Error: ${messageOf(error)}`);
      throw error;
    }
  }

  async #image({ container, event }: StartInput): Promise<RunnableImage> {
    const reference = container.image ?? "";
    try {
      const image = await this.#context.images.resolve(reference);
      event(
        container,
        "Normal",
        "Pulled",
        `Container image "${reference}" already present on machine and can be accessed by the pod`,
      );
      return image;
    } catch (error) {
      if (container.imagePullPolicy === "Never") {
        const message = `Container image "${reference}" is not present with pull policy of Never`;
        event(container, "Warning", "ErrImageNeverPull", message);
        event(container, "Warning", "Failed", "Error: ErrImageNeverPull");
        throw new StartFailure("ErrImageNeverPull", message, true);
      }
      const instead = error instanceof DhowError && error.instead ? ` ${error.instead}` : "";
      const message = messageOf(error) + instead;
      event(container, "Normal", "Pulling", `Pulling image "${reference}"`);
      event(container, "Warning", "Failed", `Failed to pull image "${reference}": ${message}`);
      event(container, "Warning", "Failed", "Error: ErrImagePull");
      throw new StartFailure("ErrImagePull", message, true);
    }
  }

  async #config(input: StartInput, image: RunnableImage, id: string, terminationLog: string) {
    const { pod, container, volumes, sandbox, event } = input;
    const facts = podFacts(this.#context, sandbox.address);
    try {
      const { objects } = this.#context;
      const services = this.#context.services();
      const env = await containerEnvironment({ pod, container, facts, services, objects });
      return containerConfig({ id, pod, container, image, env, volumes, terminationLog });
    } catch (error) {
      const isConfig = error instanceof ContainerConfigError;
      const reason = isConfig ? "CreateContainerConfigError" : "CreateContainerError";
      event(container, "Warning", "Failed", `Error: ${messageOf(error)}`);
      throw new StartFailure(reason, messageOf(error));
    }
  }

  #terminationLog(uid: string, container: string, attempt: number): string {
    const folder = join(this.#context.podsFolder, uid, "containers", container);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${attempt}.message`);
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    return path;
  }

  #remember(record: PodRecord, instance: ContainerInstance): void {
    const runs = (record.containers[instance.name] ??= []);
    runs.unshift(instance);
    for (const old of runs.splice(keptRuns)) {
      removeLogs(this.logPath(record.uid, old.name, old.attempt));
      rmSync(join(this.#context.podsFolder, record.uid, "containers", old.name, `${old.attempt}.message`), {
        force: true,
      });
    }
    this.#context.records.save(record);
  }

  async #terminationMessage(record: PodRecord, container: Container, instance: ContainerInstance): Promise<string> {
    const file = join(
      this.#context.podsFolder,
      record.uid,
      "containers",
      container.name,
      `${instance.attempt}.message`,
    );
    const text = read(file);
    if (text || container.terminationMessagePolicy !== "FallbackToLogsOnError" || instance.exitCode === 0) return text;
    let tail = "";
    const path = this.logPath(record.uid, container.name, instance.attempt);
    for await (const piece of readLog(path, { tailLines: fallbackLines })) tail += piece;
    return tail.slice(-fallbackBytes);
  }
}

/** That a run follows an edit is nothing to tell: a few edits would use up what may be said of a pod before something is wrong with it. */
function problemsOnly(input: StartInput): StartInput {
  const event: StartInput["event"] = (container, type, ...words) =>
    type === "Warning" ? input.event(container, type, ...words) : undefined;
  return { ...input, event };
}

function read(file: string): string {
  try {
    return readFileSync(file).subarray(0, maximumMessage).toString();
  } catch {
    return "";
  }
}
