import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type Socket } from "node:net";
import { eventually } from "@dhow/testkit";
import { idle, kubectlFacts, nodeImage, shell, shellPod, type Trial } from "../fact.ts";

kubectlFacts("logs", (fact) => {
  const counting = `for n in 1 2 3 4 5; do echo line $n; done; ${idle}`;

  fact("prints what the container wrote, --tail its end, --limit-bytes its beginning", async (t) => {
    await t.create(shellPod("one", counting));
    await t.ready("one");
    assert.equal(await t.kubectl.run`logs one`, "line 1\nline 2\nline 3\nline 4\nline 5\n");
    assert.equal(await t.kubectl.run`logs one --tail=2`, "line 4\nline 5\n");
    assert.equal(await t.kubectl.run`logs one --tail=0`, "");
    assert.equal(await t.kubectl.run`logs one --limit-bytes=9`, "line 1\nli");
    assert.match(
      await t.kubectl.run`logs one --timestamps --tail=1`,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line 5\n$/,
    );
    assert.equal(await t.kubectl.run`logs one --prefix --tail=1`, "[pod/one/main] line 5\n");
  });

  fact("standard output and standard error are one log, in the order of writing", async (t) => {
    await t.create(shellPod("one", `echo out; sleep 0.5; echo err >&2; sleep 0.5; echo out; ${idle}`));
    await t.ready("one");
    await eventually(async () => (await t.kubectl.run`logs one`) === "out\nerr\nout\n");
  });

  fact("a last line without its end is there", async (t) => {
    await t.create(shellPod("one", "printf half", { spec: { restartPolicy: "Never" } }));
    await t.ended("one");
    assert.equal(await t.kubectl.run`logs one`, "half");
  });

  fact("-f follows until the container ends", async (t) => {
    await t.create(
      shellPod("one", "echo begin; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo end", {
        spec: { restartPolicy: "Never" },
      }),
    );
    await t.ready("one");
    await using following = t.kubectl.start`logs -f one`;
    await eventually(() => following.stdout === "begin\n");
    await t.kubectl.run`exec one -- touch /tmp/go`;
    assert.equal(await following.ended, 0);
    assert.equal(following.stdout, "begin\nend\n");
  });

  fact("--since leaves out what is older", async (t) => {
    await t.create(shellPod("one", `echo old; sleep 3; echo new; ${idle}`));
    await t.ready("one");
    await eventually(async () => (await t.kubectl.run`logs one`) === "old\nnew\n");
    assert.equal(await t.kubectl.run`logs one --since=1h`, "old\nnew\n");
    const [, line] = (await t.kubectl.run`logs one --timestamps`).split("\n");
    const time = new Date(Date.parse(line?.split(" ")[0] ?? "") - 1000).toISOString();
    assert.equal(await t.kubectl.run`logs one --since-time=${time}`, "new\n");
  });

  fact(
    "-c chooses a container, --all-containers takes all, and without either the first is taken and named",
    async (t) => {
      await t.create(
        shellPod("two", "", {
          spec: {
            containers: [
              { ...shell(`echo a; ${idle}`), name: "first" },
              { ...shell(`echo b; ${idle}`), name: "second" },
            ],
            initContainers: [{ ...shell("echo i"), name: "before" }],
          },
        }),
      );
      await t.ready("two");
      assert.equal(await t.kubectl.run`logs two -c second`, "b\n");
      assert.equal(await t.kubectl.run`logs two -c before`, "i\n");
      assert.deepEqual((await t.kubectl.run`logs two --all-containers`).trim().split("\n").sort(), ["a", "b", "i"]);
      const { stdout, stderr } = await t.kubectl.answer`logs two`;
      assert.equal(stdout, "a\n");
      assert.equal(stderr, 'Defaulted container "first" out of: first, second, before (init)\n');
      assert.match(
        await t.kubectl.refused`logs two -c none`,
        /^error: container none is not valid for pod two( out of: first, second, before \(init\))?$/,
      );
    },
  );

  fact("--previous is the run before the restart", async (t) => {
    await t.create(
      shellPod("again", `if [ -e /data/ran ]; then echo second; ${idle}; fi; touch /data/ran; echo first; exit 3`, {
        container: { volumeMounts: [{ name: "data", mountPath: "/data" }] },
        spec: { volumes: [{ name: "data", emptyDir: {} }] },
      }),
    );
    await eventually(async () => (await t.kubectl.answer`logs again`).stdout === "second\n", 40_000);
    assert.equal(await t.kubectl.run`logs again --previous`, "first\n");
  });

  fact("--previous of a container that never ended is refused", async (t) => {
    await t.create(shellPod("one", idle));
    await t.ready("one");
    assert.equal(
      await t.kubectl.refused`logs one --previous`,
      'Error from server (BadRequest): previous terminated container "main" in pod "one" not found',
    );
  });

  fact("a deployment and a label select pods", async (t) => {
    await t.create(
      shellPod("one", `echo 1; ${idle}`, { labels: { app: "x" } }),
      shellPod("two", `echo 2; ${idle}`, { labels: { app: "x" } }),
    );
    await Promise.all([t.ready("one"), t.ready("two")]);
    assert.deepEqual((await t.kubectl.run`logs -l app=x`).trim().split("\n").sort(), ["1", "2"]);
  });

  fact("a pod that waits for its image says that it does", async (t) => {
    await t.create({
      ...shellPod("one", idle),
      spec: {
        containers: [{ name: "main", image: "registry.invalid/none:1", imagePullPolicy: "Never" }],
        terminationGracePeriodSeconds: 0,
      },
    });
    await eventually(async () => /ErrImageNeverPull/.test(await t.kubectl.run`get pod one`));
    assert.match(
      await t.kubectl.refused`logs one`,
      /^Error from server \(BadRequest\): container "main" in pod "one" is waiting to start: ErrImageNeverPull$/,
    );
  });
});

kubectlFacts("exec, attach, debug and cp", (fact) => {
  async function onePod(t: Trial): Promise<void> {
    await t.create(shellPod("one", idle));
    await t.ready("one");
  }

  fact("exec gives output, errors and the exit code of the command", async (t) => {
    await onePod(t);
    const { code, stdout, stderr } = await t.kubectl.answer`exec one -- sh -c ${"echo out; echo err >&2; exit 7"}`;
    assert.deepEqual([code, stdout], [7, "out\n"]);
    assert.equal(stderr, "err\ncommand terminated with exit code 7\n");
  });

  fact("exec -i gives the command its input, to the end", async (t) => {
    await onePod(t);
    const data = randomBytes(1 << 20).toString("hex");
    const said = await t.kubectl.fed(data).run`exec -i one -- sha256sum`;
    assert.equal(said, `${createHash("sha256").update(data).digest("hex")}  -\n`);
  });

  fact("exec without -i has an empty input", async (t) => {
    await onePod(t);
    assert.equal(await t.kubectl.fed("nobody reads this").run`exec one -- cat`, "");
  });

  fact("exec gives output of some megabytes whole", async (t) => {
    await onePod(t);
    const said = await t.kubectl
      .run`exec one -- sh -c ${"dd if=/dev/zero bs=65536 count=64 2>/dev/null | tr '\\000' x"}`;
    assert.equal(said.length, 64 * 65_536);
  });

  fact("exec of a program that is not there is refused with 126 or 127", async (t) => {
    await onePod(t);
    const { code, stderr } = await t.kubectl.answer`exec one -- no-such-program`;
    assert.ok(code === 126 || code === 127 || code === 1, String(code));
    assert.match(stderr, /no-such-program/);
  });

  fact("exec -it has a terminal", async (t) => {
    await onePod(t);
    // kubectl asks for a terminal only where it has one itself: `script` gives it one.
    await using running = t.kubectl.start`exec -i -t one -- sh -c ${"test -t 0 && echo terminal || echo none"}`;
    running.child.stdin.end();
    await running.ended;
    assert.match(running.stderr + running.stdout, /Unable to use a TTY - input is not a terminal|terminal/);
  });

  fact("exec chooses a container by -c", async (t) => {
    await t.create(
      shellPod("two", "", {
        spec: {
          containers: [
            { ...shell(idle), name: "first", env: [{ name: "ME", value: "1" }] },
            { ...shell(idle), name: "second", env: [{ name: "ME", value: "2" }] },
          ],
        },
      }),
    );
    await t.ready("two");
    assert.equal(await t.kubectl.run`exec two -c second -- sh -c ${"echo $ME"}`, "2\n");
    assert.match(
      await t.kubectl.refused`exec two -c third -- true`,
      /container (third is )?not (valid|found).*|container third is not valid for pod two/,
    );
  });

  fact("exec in a pod that has ended is refused", async (t) => {
    await t.create(shellPod("one", "true", { spec: { restartPolicy: "Never" } }));
    await t.ended("one");
    assert.equal(
      await t.kubectl.refused`exec one -- true`,
      "error: cannot exec into a container in a completed pod; current phase is Succeeded",
    );
  });

  fact("attach sees what the container writes, and writes to it with -i", async (t) => {
    await t.create(shellPod("one", "while read line; do echo got $line; done", { container: { stdin: true } }));
    await t.ready("one");
    await using attached = t.kubectl.start`attach -i one`;
    await eventually(
      () => {
        attached.child.stdin.write("word\n");
        return attached.stdout.includes("got word\n");
      },
      20_000,
      300,
    );
  });

  fact("debug adds an ephemeral container, which lives beside the others", async (t) => {
    await onePod(t);
    await t.kubectl.answer`debug one --image=busybox:1.37 --container=looking -- sh -c ${"echo looking; sleep 30"}`;
    await eventually(async () => (await t.kubectl.answer`logs one -c looking`).stdout === "looking\n");
    const { spec } = await t.pod("one");
    assert.deepEqual(
      spec?.ephemeralContainers?.map(({ name }) => name),
      ["looking"],
    );
    await eventually(async () => (await t.pod("one")).status?.ephemeralContainerStatuses?.[0]?.state?.running);
  });

  fact("debug --copy-to makes a copy of the pod with another command", async (t) => {
    await onePod(t);
    await t.kubectl.run`debug one --copy-to=copy --container=main -- sh -c ${`echo copied; ${idle}`}`;
    await t.ready("copy");
    assert.equal(await t.kubectl.run`logs copy`, "copied\n");
  });

  fact("cp brings files and folders there and back", async (t) => {
    await onePod(t);
    const folder = join(t.target.home, t.namespace);
    mkdirSync(join(folder, "deep"), { recursive: true });
    const content = randomBytes(300_000);
    writeFileSync(join(folder, "deep", "file"), content);
    await t.kubectl.run`cp ${folder} one:/tmp/there`;
    const said = await t.kubectl.run`exec one -- sha256sum /tmp/there/deep/file`;
    assert.ok(said.startsWith(createHash("sha256").update(content).digest("hex")));
    await t.kubectl.run`cp one:/tmp/there/deep/file ${folder}/back`;
    assert.ok(readFileSync(join(folder, "back")).equals(content));
    await t.kubectl.run`cp one:/tmp/there ${folder}/all`;
    assert.ok(existsSync(join(folder, "all", "deep", "file")));
    rmSync(folder, { recursive: true });
  });
});

const echoServer =
  "require('net').createServer({allowHalfOpen: true}, (socket) => { socket.pipe(socket); socket.on('error', () => {}); }).listen(7000)";

kubectlFacts("port-forward", (fact) => {
  function echoPod(name: string, labels = {}) {
    const container = {
      name: "main",
      image: nodeImage,
      command: ["node", "-e", echoServer],
      ports: [{ containerPort: 7000, name: "echo" }],
      readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 },
    };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels },
      spec: { terminationGracePeriodSeconds: 0, containers: [container] },
    };
  }

  async function forwardedPort(running: { stdout: string; stderr: string }): Promise<number> {
    return Number(await eventually(() => /Forwarding from 127\.0\.0\.1:(\d+) -> 7000/.exec(running.stdout)?.[1]));
  }

  async function hashThrough(port: number, data: Buffer): Promise<string> {
    const socket: Socket = connect(port, "127.0.0.1");
    const hash = createHash("sha256");
    socket.on("data", (piece) => hash.update(piece));
    const ended = new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
    socket.end(data);
    await ended;
    return hash.digest("hex");
  }

  fact("carries megabytes both ways without a change", async (t) => {
    await t.create(echoPod("echo"));
    await t.ready("echo");
    await using running = t.kubectl.start`port-forward pod/echo :7000`;
    const data = randomBytes(6 << 20);
    assert.equal(
      await hashThrough(await forwardedPort(running), data),
      createHash("sha256").update(data).digest("hex"),
    );
  });

  fact("carries many connections beside each other", async (t) => {
    await t.create(echoPod("echo"));
    await t.ready("echo");
    await using running = t.kubectl.start`port-forward pod/echo :7000`;
    const port = await forwardedPort(running);
    const data = Array.from({ length: 8 }, () => randomBytes(200_000));
    const hashes = await Promise.all(data.map((piece) => hashThrough(port, piece)));
    assert.deepEqual(
      hashes,
      data.map((piece) => createHash("sha256").update(piece).digest("hex")),
    );
  });

  fact("finds a pod of a service, and its target port by name", async (t) => {
    await t.create(echoPod("echo", { app: "echo" }), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front" },
      spec: { selector: { app: "echo" }, ports: [{ port: 80, targetPort: "echo" }] },
    });
    await t.ready("echo");
    await using running = t.kubectl.start`port-forward service/front :80`;
    const data = randomBytes(1000);
    assert.equal(
      await hashThrough(await forwardedPort(running), data),
      createHash("sha256").update(data).digest("hex"),
    );
  });

  fact("to a port where nobody listens says so, and the connection ends", async (t) => {
    await t.create(echoPod("echo"));
    await t.ready("echo");
    await using running = t.kubectl.start`port-forward pod/echo :7001`;
    const port = Number(await eventually(() => /127\.0\.0\.1:(\d+) -> 7001/.exec(running.stdout)?.[1]));
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    await new Promise((resolve) => socket.once("close", resolve));
    await eventually(() => /7001/.test(running.stderr) && /refused/.test(running.stderr));
  });
});
