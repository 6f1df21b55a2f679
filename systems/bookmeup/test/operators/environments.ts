import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { it } from "node:test";
import { followReadme, type Stage } from "./operator.ts";
import { Customer, emptyTally } from "./customer.ts";
import { Client, type Door } from "./wire.ts";

const hosts = { staging: "staging.bookmeup.example.com", production: "bookmeup.example.com" };

/** Whether somebody else's database can be reached. */
const reach = (host: string) => `
import { connect } from "node:net";
const socket = connect({ host: "${host}", port: 5432, timeout: 2000 });
const end = (how) => { console.log(JSON.stringify(how)); process.exit(0); };
socket.on("connect", () => end("open")).on("error", (error) => end(error.code)).on("timeout", () => end("silence"));`;

/** One person's round through another way in; nothing may fail there either. */
async function tryOut(door: Door, rounds: number): Promise<void> {
  const customer = new Customer(door);
  const tally = emptyTally();
  await customer.begin();
  await customer.run(new AbortController().signal, tally, rounds);
  customer.close();
  assert.deepEqual([tally.failures, tally.booked], [[], rounds]);
}

/** Staging and production beside development, each with a way in of its own; production's is HTTPS. */
export function environments(stage: () => Stage): void {
  it("brings staging and production in beside what runs, with quotas, secrets and ways in of their own", async () => {
    const { cluster, load } = stage();
    await load.during("staging and production beside it", async () => {
      await Promise.all(["staging", "production"].map((name) => cluster.dhow("apply", "--environment", name)));
      await tryOut({ port: cluster.port, host: hosts.staging }, 3);
    });
    const passwords = new Set<string>();
    for (const namespace of ["bookmeup", "bookmeup-staging", "bookmeup-prod"]) {
      const [quota] = await cluster.objects("resourcequotas", "-n", namespace);
      assert.ok(Number(quota.status.used.pods) >= 8, `${namespace} uses ${quota.status.used.pods} pods`);
      const [secret] = await cluster.objects(
        "secrets",
        "-n",
        namespace,
        "--field-selector",
        "metadata.name=bookmeup-secrets",
      );
      passwords.add(secret.data.POSTGRES_PASSWORD);
      const [claim] = await cluster.objects("persistentvolumeclaims", "-n", namespace);
      assert.equal(claim.status.phase, "Bound");
    }
    assert.equal(passwords.size, 3);
    assert.notEqual(await cluster.inside("db-service", reach("postgres.bookmeup-staging")), "open");
    assert.equal(await cluster.inside("db-service", reach("postgres")), "open");
  });

  it("serves production over HTTPS with a certificate of its own, which is replaced under load", async () => {
    const { cluster, load } = stage();
    const HOST = hosts.production;
    const prod = { KUBECONFIG: await inNamespace(stage(), "bookmeup-prod"), HOST };
    const certificate = async () => {
      const [secret] = await cluster.objects(
        "secrets",
        "-n",
        "bookmeup-prod",
        "--field-selector",
        "metadata.name=bookmeup-tls",
      );
      return Buffer.from(secret.data["tls.crt"], "base64").toString();
    };
    await load.during("HTTPS, certificate replaced", async () => {
      await followReadme(cluster, "Serve HTTPS with a certificate of one's own", prod);
      const first = await certificate();
      const plain = await new Client({ port: cluster.port, host: HOST }, false).send({
        method: "GET",
        path: "/services",
      });
      assert.deepEqual([plain.status, plain.headers.location], [308, `https://${HOST}:${cluster.httpsPort}/services`]);
      // Believed are both, so that whatever is served in the moment of the change is right.
      let believed = first;
      const door: Door = { port: cluster.httpsPort, host: HOST, authority: () => believed };
      const [, served] = await Promise.all([
        tryOut(door, 12),
        (async () => {
          await followReadme(cluster, "Serve HTTPS with a certificate of one's own", prod);
          believed = `${first}\n${await certificate()}`;
          return fingerprintOf(door);
        })(),
      ]);
      assert.equal(served, new X509Certificate(await certificate()).fingerprint);
      assert.notEqual(served, new X509Certificate(first).fingerprint);
    });
  });

  it("takes an environment away without touching the others", async () => {
    const { cluster, load } = stage();
    await load.during("staging taken away", () =>
      cluster.kubectl("delete", "namespace", "bookmeup-staging", "bookmeup-prod"),
    );
    const answer = await new Client({ port: cluster.port, host: hosts.production }, false).send({
      method: "GET",
      path: "/services",
    });
    // The way in of development answers to any name.
    assert.equal(answer.status, 200);
  });
}

/** Of what a new connection is shown. */
async function fingerprintOf(door: Door): Promise<string | undefined> {
  const client = new Client(door, false);
  return (await client.send({ method: "GET", path: "/services" })).certificate?.fingerprint;
}

/** A kubeconfig whose commands mean that namespace. */
async function inNamespace({ cluster }: Stage, namespace: string): Promise<string> {
  const file = `${cluster.folder}/.dhow/${namespace}.kubeconfig`;
  await copyFile(cluster.kubeconfig, file);
  await cluster.kubectl("config", "set-context", "--current", `--namespace=${namespace}`, `--kubeconfig=${file}`);
  return file;
}
