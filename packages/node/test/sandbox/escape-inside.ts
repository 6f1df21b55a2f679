// Runs in a world of its own and tells over IPC what a pod found when it looked for what is not its own; escape.test.ts says what it should have found.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerConfig, ContainerProcess } from "../../src/sandbox/sandbox.ts";
import { inodeWithin } from "../../src/sandbox/within.ts";
import { container as newContainer, pod, sandbox, shell, text } from "./tried.ts";

const secret = "not-for-others";
const folder = mkdtempSync(join(tmpdir(), "dhow-escape-"));
chmodSync(folder, 0o755);
/** What a container runtime gives root by default. */
const rootCapabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SYS_CHROOT",
  "KILL",
];
const mount = (source: string, target: string, more: object = {}) => ({ source, target, readOnly: false, ...more });
const node = mount(process.execPath, "/opt/node", { readOnly: true });

/** A shell of an ordinary user, or of the container's root with what a runtime gives it. */
function container(script: string, more: Partial<ContainerConfig> = {}): ContainerConfig {
  const { user = 1000 } = more;
  const rights = { user, capabilities: user === 0 ? rootCapabilities : [], noNewPrivileges: user !== 0 };
  return newContainer(shell(script), { mounts: [node], ...rights, ...more });
}

async function said(running: ContainerProcess): Promise<string> {
  const [out, error] = await Promise.all([text(running.stdout), text(running.stderr), running.exited]);
  return (out + error).trim();
}

/** Somebody else's pod: a secret in its environment and in its files, a server on its loopback. */
const victim = await pod();
const server = `require("node:net").createServer((s) => s.end("${secret}")).listen(7777, "127.0.0.1", () => console.log("up"))`;
const running = await victim.start(
  container(`echo ${secret} > /tmp/secret; exec /opt/node -e '${server}'`, { env: { SECRET: secret } }),
);
await new Promise((resolve) => running.stdout.once("data", resolve));

/** What the machine has: a file that everybody may read, keys, a socket, an abstract socket. */
writeFileSync(join(folder, "file"), secret, { mode: 0o644 });
mkdirSync(join(folder, ".dhow/pki"), { recursive: true });
writeFileSync(join(folder, ".dhow/pki/ca.key"), secret, { mode: 0o644 });
const socket = createServer((connection) => connection.end(secret));
await new Promise<void>((resolve) => socket.listen(join(folder, "agent.sock"), resolve));
const abstract = createServer((connection) => connection.end(secret));
await new Promise<void>((resolve) => abstract.listen("\0dhow-escape", resolve));
const volume = join(folder, "volume");
mkdirSync(join(volume, "inner"), { recursive: true });
symlinkSync(folder, join(volume, "link"));
const data = join(folder, "data");
mkdirSync(data);
chmodSync(data, 0o777);

const connect = (to: string) =>
  `/opt/node -e 'require("node:net").connect(${to}).on("error", (e) => console.log(e.code)).pipe(process.stdout)'`;
const looks: Record<string, string> = {
  "environments of others": `cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c ${secret}`,
  "processes of others": "ls /proc | grep -c '^[0-9]'",
  "a file of the machine": `cat ${folder}/file 2>&1; ls ${tmpdir()} | grep dhow`,
  "keys of the cluster": `cat ${folder}/.dhow/pki/ca.key 2>&1`,
  "the checkout": `ls ${import.meta.dirname} 2>&1`,
  "the file of another pod": "cat /tmp/secret 2>&1",
  "a socket of the machine": connect(`"${folder}/agent.sock"`),
  "an abstract socket": connect('"\\0dhow-escape"'),
  "the loopback of another pod": connect('7777, "127.0.0.1"'),
  "sockets in the file system": "find / -xdev -type s 2>/dev/null",
  "open files": "ls -l /proc/self/fd | grep -v -e 'pipe:' -e /dev/null -e /proc/ -e total -e /run/dhow/pipes/",
  mounting: "mount -t tmpfs none /mnt 2>&1 && echo mounted",
  "programs of the machine": "touch /usr/probe",
  "settings of the machine": "touch /etc/probe",
  "a kernel setting": "cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern && echo written",
  "a kernel setting, unmasked":
    "unshare -Urm sh -c 'umount -l /proc/sys; cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern && echo written'",
  "control groups": "find /sys -mindepth 1 | head -1",
  "the kernel's log": "dmesg > /dev/null 2>&1 && echo read",
  "a module": "ls /lib/modules/$(uname -r)/kernel > /dev/null 2>&1; rmmod dummy 2>&1 | grep -c 'successfully'",
  "private parts of /etc": "find /etc -type f ! -perm -o=r -size +0 2>/dev/null",
  "a device of its own":
    "mknod /data/null c 1 3 2>/dev/null; (echo x > /data/null) 2>/dev/null && [ -c /data/null ] && echo opened; rm -f /data/null",
};

const mark = "-- next --";

async function look(user: number): Promise<Record<string, string>> {
  const attacker = await pod();
  // All in one container, as each takes its time to start.
  const all = Object.values(looks).map((script) => `( ${script} ) 2>&1; echo ${mark}`);
  const answers = (
    await said(await attacker.start(container(all.join("\n"), { user, mounts: [node, mount(data, "/data")] })))
  ).split(mark);
  const found = Object.fromEntries(Object.keys(looks).map((name, at) => [name, (answers[at] ?? "").trim()]));
  await said(await attacker.start(container("kill -9 -1", { user })));
  found["another pod after everything that can be seen was killed"] = await text(await victim.connect(7777));
  await attacker.remove();
  return found;
}

const start = async (more: Partial<ContainerConfig>, sysctls: Record<string, string> = {}) => {
  const own = await pod({ sysctls });
  try {
    return await said(await own.start(container("echo started", more)));
  } catch (error) {
    return (error as Error).message;
  } finally {
    await own.remove();
  }
};

const asks: Record<string, () => Promise<unknown>> = {
  "a setting within a setting": () => start({}, { "net.ipv4.ip_local_port_range": "1 2\nkernel/core_pattern=x" }),
  "a working directory above the root": async () => ({
    said: await start({ workingDirectory: `../../../../../../../../..${folder}/made` }),
    made: existsSync(join(folder, "made")),
  }),
  "a mount above the root": async () => ({
    said: await start({ mounts: [mount(volume, `/../../../../../../../..${folder}/made`)] }),
    made: existsSync(join(folder, "made")),
  }),
  "a mount through a link of a volume": async () => ({
    said: await start({ mounts: [mount(volume, "/data"), mount(join(volume, "inner"), "/data/link/made")] }),
    made: existsSync(join(folder, "made")),
  }),
  "something else in the place of a folder": () =>
    start({ mounts: [mount(join(volume, "link"), "/data", { inode: inodeWithin(volume, join(volume, "inner")) })] }),
  "the folder itself": () =>
    start({ mounts: [mount(join(volume, "inner"), "/data", { inode: inodeWithin(volume, join(volume, "inner")) })] }),
};

const results: Record<string, unknown> = { user: await look(1000), root: await look(0) };
for (const [name, ask] of Object.entries(asks)) results[name] = await ask();
results["left"] = readdirSync(volume).concat(String(statSync(folder).isDirectory()));
socket.close();
abstract.close();
await sandbox.close();
process.send?.({ folder, results }, () => process.exit(0));
