import { messageOf, type Reporter } from "@dhow/base";
import type DNS from "dns2";
import { createServer, Packet } from "dns2";
import { answer, type DnsObjects } from "./answers.ts";
import { type DnsAnswer, type DnsRecord, nothing, type QuestionType } from "./records.ts";

export interface DnsOptions {
  /** Such as 10.96.0.10; the port is 53 unless said otherwise. */
  readonly address: string;
  readonly port?: number;
  /** Such as cluster.local. */
  readonly clusterDomain: string;
  readonly objects: DnsObjects;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Answers names outside the cluster, where there is a way out of it; without one they do not exist. */
  readonly forward?: (request: Buffer) => Promise<Buffer>;
}

/** Seconds for which answers may be kept; CoreDNS' own default for cluster names. */
const timeToLive = 5;

/** The cluster's DNS server, on UDP and TCP. Resolves to the port when it listens. */
export async function startDns(options: DnsOptions): Promise<number> {
  const { address, port = 53, reporter, signal } = options;
  const failed = (error: unknown) =>
    reporter.report({ kind: "dns.failed", level: "warn", subject: "dns", message: messageOf(error) });
  const server = createServer({
    udp: true,
    tcp: true,
    handle: (request, send) => {
      respond(request, options).then(send).catch(failed);
    },
  });
  server.on("requestError", () => undefined);
  server.on("error", failed);
  signal.addEventListener("abort", () => void server.close().catch(() => undefined), { once: true });
  const addresses = await server.listen({ udp: { port, address }, tcp: { port, address } });
  return addresses.udp?.port ?? port;
}

async function respond(
  request: DNS.Packet,
  { objects, clusterDomain, forward }: DnsOptions,
): Promise<DNS.Packet | Buffer> {
  const [question] = request.questions;
  const response = Packet.createResponseFromRequest(request);
  response.header.ra = 1;
  if (question === undefined) {
    response.header.rcode = Packet.RCODE.FORMERR;
    return response;
  }
  const found = answer(question.name, questionType(question.type), objects, clusterDomain);
  if (found === undefined && forward) {
    try {
      return await forward(request.toBuffer());
    } catch {
      response.header.rcode = Packet.RCODE.SERVFAIL;
      return response;
    }
  }
  write(response, found ?? nothing, clusterDomain);
  // A name outside the cluster is nothing that this server has authority over.
  if (found === undefined) response.header.aa = 0;
  return found?.answers.some(({ type }) => type === "SRV") ? withoutCompression(response) : response;
}

function write(response: DNS.Packet, { code, answers, additionals }: DnsAnswer, domain: string): void {
  response.header.aa = 1;
  response.header.rcode = Packet.RCODE[code];
  response.answers.push(...shuffled(answers).map(resource));
  response.additionals.push(...additionals.map(resource));
  // How long that there is nothing may be remembered (RFC 2308).
  if (answers.length === 0) response.authorities.push(startOfAuthority(domain));
}

/** The target of an SRV record must not be a pointer to a name before it (RFC 2782), which is what dns2 would write; c-ares refuses that. */
function withoutCompression(response: DNS.Packet): Buffer {
  // dns2 looks for names that it has written in a Map.
  const writer: DNS.Packet.Writer = Object.assign(new Packet.Writer(), { names: {} });
  const encode: (writer: DNS.Packet.Writer) => Buffer = response.toBuffer.bind(response);
  return encode(writer);
}

/** Many programs take the first address: each is to be first now and then. An alias stands before what it leads to. */
function shuffled(records: readonly DnsRecord[]): DnsRecord[] {
  const aliases = records.filter(({ type }) => type === "CNAME");
  const others = records.filter(({ type }) => type !== "CNAME");
  const start = Math.floor(Math.random() * others.length);
  return [...aliases, ...others.slice(start), ...others.slice(0, start)];
}

const common = { class: 1, ttl: timeToLive } as const;

function resource(record: DnsRecord): DNS.Packet.Resource {
  const type = Packet.TYPE[record.type];
  switch (record.type) {
    case "A":
      return new Packet.Resource({ ...common, type, name: record.name, address: record.address });
    case "SRV": {
      const { name, port, target, weight } = record;
      return new Packet.Resource({ ...common, type, name, priority: 0, weight, port, target });
    }
    case "TXT":
      return new Packet.Resource({ ...common, type, name: record.name, data: record.data });
    default:
      return new Packet.Resource({ ...common, type, name: record.name, domain: record.domain });
  }
}

function startOfAuthority(domain: string): DNS.Packet.Resource {
  return new Packet.Resource({
    ...common,
    type: Packet.TYPE.SOA,
    name: domain,
    primary: `ns.dns.${domain}`,
    admin: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expiration: 86_400,
    minimum: timeToLive,
  });
}

function questionType(type: number): QuestionType {
  const name = Packet.TYPE_NAME[type];
  const known: readonly string[] = ["A", "CNAME", "PTR", "SRV", "TXT", "ANY"];
  return name !== undefined && known.includes(name) ? (name as QuestionType) : "other";
}
