import { Extension } from "@peculiar/x509";
import { anyUsage, type Authority, type Identity, issue, serverAuth } from "./certificates.ts";

/** What a client shows. */
export interface Shown {
  readonly certificate?: Identity;
  readonly token?: string;
}

/** The client certificates that a server should look at twice, by what is wrong with them. */
export async function cases(authority: Authority, goodToken: string): Promise<Readonly<Record<string, Shown>>> {
  const admin = "CN=mallory, O=system:masters";
  const good = await issue({ subject: "CN=alice, O=one, O=two" }, authority);
  const expired = await issue({ subject: admin, from: -48, until: -24 }, authority);
  const elsewhere = await issue({ subject: "CN=elsewhere", authority: true });
  const namesake = await issue({ subject: authority.subject.toString(), authority: true });
  const between = await issue({ subject: "CN=between", authority: true, usages: [] }, authority);
  const unknownCritical = new Extension("1.2.3.4.5", true, new Uint8Array([5, 0]));
  const signed = async (subject: Parameters<typeof issue>[0]["subject"]) => ({
    certificate: await issue({ subject }, authority),
  });
  return {
    "a good one": { certificate: good },
    "a good one and a token of nobody": { certificate: good, token: "nonsense" },
    "a good one and somebody else's token": { certificate: good, token: goodToken },
    "none, and no token": {},
    "none, and a token of nobody": { token: "nonsense" },
    "none, and a token of control characters": { token: "\x1b[31m\x07\x7f" },
    expired: { certificate: expired },
    "expired, and a good token": { certificate: expired, token: goodToken },
    "expired, and a token of nobody": { certificate: expired, token: "nonsense" },
    "of tomorrow": { certificate: await issue({ subject: admin, from: 24, until: 48 }, authority) },
    "of another authority": { certificate: await issue({ subject: admin }, elsewhere) },
    "of another authority, and a good token": {
      certificate: await issue({ subject: admin }, elsewhere),
      token: goodToken,
    },
    "of another authority with the same name": { certificate: await issue({ subject: admin }, namesake) },
    "signed by itself": { certificate: await issue({ subject: admin }) },
    "signed by a client's": { certificate: await issue({ subject: admin }, good) },
    "signed by an authority below": { certificate: await issue({ subject: "CN=below, O=one" }, between) },
    "the authority's own": { certificate: authority },
    "for servers only": { certificate: await issue({ subject: admin, usages: [serverAuth] }, authority) },
    "for whatever": { certificate: await issue({ subject: "CN=any", usages: [anyUsage] }, authority) },
    "without a usage": { certificate: await issue({ subject: "CN=none", usages: [] }, authority) },
    "with something critical that nobody knows": {
      certificate: await issue({ subject: admin, extensions: [unknownCritical] }, authority),
    },
    "signed over SHA-1": { certificate: await issue({ subject: admin, hash: "SHA-1" }, authority) },
    "without a name": await signed("O=system:masters"),
    "with an empty name": await signed([{ CN: [{ utf8String: "" }] }, { O: ["one"] }]),
    "with two names": await signed([{ CN: ["first"] }, { CN: ["second"] }]),
    "with a name of 10,000 letters": await signed([{ CN: ["a".repeat(10_000)] }]),
    "with a line end in its name": await signed([{ CN: [{ utf8String: "alice\nO=system:masters" }] }]),
    "with control characters in its name": await signed([{ CN: [{ utf8String: "a\u0001\u001b[31m\u0007\r\n" }] }]),
    "with a zero in its name": await signed([{ CN: [{ utf8String: "admin\u0000.example.org" }] }]),
    "with letters of the world": await signed([{ CN: [{ utf8String: "Ünïcode 名前" }] }]),
    "with a line end in its group": await signed([{ CN: ["bob"] }, { O: [{ utf8String: "one\nsystem:masters" }] }]),
    "with an empty group": await signed([{ CN: ["bob"] }, { O: [{ utf8String: "" }] }]),
    "of nobody by name": await signed("CN=system:anonymous"),
    "with the group of those who are nobody": await signed("CN=bob, O=system:unauthenticated"),
  };
}
