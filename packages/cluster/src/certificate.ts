import { createHash, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { isIPv4 } from "node:net";
import {
  type AsnType,
  BitString,
  Boolean as Asn1Boolean,
  Constructed,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  Set as Asn1Set,
  UTCTime,
  Utf8String,
} from "asn1js";

// X.509 certificates and PKCS#10 requests, which Node reads and does not write (RFC 5280, RFC 2986).

/** What a certificate says. Names and keys are DER. */
export interface CertificateFacts {
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly publicKey: KeyObject;
  /** On the curve P-256: the signature is ECDSA with SHA-256. */
  readonly signingKey: KeyObject;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly AsnType[];
}

const oid = (value: string) => new ObjectIdentifier({ value });
const sequence = (...value: AsnType[]) => new Sequence({ value });
const tagged = (tagNumber: number, ...value: AsnType[]) =>
  new Constructed({ idBlock: { tagClass: 3, tagNumber }, value });
const taggedBytes = (tagNumber: number, bytes: Uint8Array) =>
  new Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex: bytes });

function parsed(der: Uint8Array): AsnType {
  const { result, offset } = fromBER(der);
  if (offset !== der.byteLength) throw new Error(result.error || "not the DER of one value");
  return result;
}

const bytesOf = (value: AsnType) => new Uint8Array(value.toBER());

/** A distinguished name of `CN` and, before it, `O`. */
export function nameOf({ organization, commonName }: { organization?: string; commonName: string }): Uint8Array {
  const attribute = (type: string, value: string) =>
    new Asn1Set({ value: [sequence(oid(type), new Utf8String({ value }))] });
  const organizations = organization === undefined ? [] : [attribute("2.5.4.10", organization)];
  return bytesOf(sequence(...organizations, attribute("2.5.4.3", commonName)));
}

/** The certificate as PEM, with a random serial number. */
export function createCertificate(facts: CertificateFacts): string {
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const serial = randomBytes(16);
  // Positive, and of full length.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const body = sequence(
    tagged(0, new Integer({ value: 2 })),
    new Integer({ valueHex: serial }),
    algorithm,
    parsed(facts.issuer),
    sequence(time(facts.notBefore), time(facts.notAfter)),
    parsed(facts.subject),
    parsed(facts.publicKey.export({ type: "spki", format: "der" })),
    tagged(3, sequence(...facts.extensions)),
  );
  const signature = sign("sha256", bytesOf(body), facts.signingKey);
  return toPem("CERTIFICATE", bytesOf(sequence(body, algorithm, new BitString({ valueHex: signature }))));
}

/** To the second; in two digits for the year until 2049 (RFC 5280, 4.1.2.5). */
function time(milliseconds: number): AsnType {
  const valueDate = new Date(Math.floor(milliseconds / 1000) * 1000);
  return valueDate.getUTCFullYear() < 2050 ? new UTCTime({ valueDate }) : new GeneralizedTime({ valueDate });
}

function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function extension(id: string, critical: boolean, value: AsnType): AsnType {
  const content = new OctetString({ valueHex: bytesOf(value) });
  return critical ? sequence(oid(id), new Asn1Boolean({ value: true }), content) : sequence(oid(id), content);
}

export function basicConstraints(authority: boolean, critical: boolean): AsnType {
  return extension("2.5.29.19", critical, sequence(...(authority ? [new Asn1Boolean({ value: true })] : [])));
}

const usageBits = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;

export function keyUsage(...usages: (keyof typeof usageBits)[]): AsnType {
  const bits = usages.reduce((all, usage) => all | (0x80 >> usageBits[usage]), 0);
  // Zeros at the end are left out (X.690, 11.2.2).
  const unusedBits = 31 - Math.clz32(bits & -bits);
  return extension("2.5.29.15", true, new BitString({ valueHex: Uint8Array.of(bits), unusedBits }));
}

const purposes = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

export function extendedKeyUsage(purpose: keyof typeof purposes): AsnType {
  return extension("2.5.29.37", false, sequence(oid(purposes[purpose])));
}

export function subjectKeyIdentifier(key: KeyObject): AsnType {
  return extension("2.5.29.14", false, new OctetString({ valueHex: keyIdentifier(key) }));
}

export function authorityKeyIdentifier(key: KeyObject): AsnType {
  return extension("2.5.29.35", false, sequence(taggedBytes(0, keyIdentifier(key))));
}

/** The SHA-1 of the key's bits (RFC 5280, 4.2.1.2). */
function keyIdentifier(key: KeyObject): Uint8Array {
  const [, bits] = partsOf(parsed(key.export({ type: "spki", format: "der" })));
  return createHash("sha1").update(bitsOf(bits)).digest();
}

export function subjectAlternativeNames(names: readonly string[], addresses: readonly string[]): AsnType {
  return extension(
    "2.5.29.17",
    false,
    sequence(
      ...names.map((name) => taggedBytes(2, Buffer.from(name, "ascii"))),
      ...addresses.map((address) => taggedBytes(7, addressBytes(address))),
    ),
  );
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return Uint8Array.from([...head, ...zeros, ...tail].flatMap((word) => [parseInt(word, 16) >> 8, parseInt(word, 16)]));
}

/** How a request is signed: the hash by the algorithm's identifier; null where the algorithm has one of its own. */
const signatureHashes: Readonly<Record<string, string | null>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.3.101.112": null,
};

/** Reads a PKCS#10 request (PEM). Throws where it is none, or is not signed with its own key. */
export function readRequest(pem: string): { readonly subject: Uint8Array; readonly publicKey: KeyObject } {
  const base64 = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)-----END/.exec(pem)?.[1] ?? "";
  const [info, algorithm, signature] = partsOf(parsed(Buffer.from(base64, "base64")));
  const [, subject, key] = partsOf(info);
  if (!info || !subject || !key) throw new Error("not a request for a certificate (PKCS#10)");
  const publicKey = createPublicKey({ key: Buffer.from(key.valueBeforeDecodeView), format: "der", type: "spki" });
  const [identifier] = partsOf(algorithm);
  const algorithmId = identifier instanceof ObjectIdentifier ? identifier.getValue() : "";
  const hash = signatureHashes[algorithmId];
  if (hash === undefined) throw new Error(`signed with an algorithm that is not known: ${algorithmId}`);
  if (!verify(hash, info.valueBeforeDecodeView, publicKey, bitsOf(signature)))
    throw new Error("the request is not signed with its own key");
  return { subject: subject.valueBeforeDecodeView, publicKey };
}

/** The subject of a certificate (PEM), as it is encoded there. */
export function subjectOf(certificate: Uint8Array): Uint8Array {
  const [body] = partsOf(parsed(certificate));
  const subject = partsOf(body)[5];
  if (!subject) throw new Error("not a certificate");
  return subject.valueBeforeDecodeView;
}

function partsOf(value: AsnType | undefined): readonly AsnType[] {
  return value instanceof Constructed ? value.valueBlock.value : [];
}

function bitsOf(value: AsnType | undefined): Uint8Array {
  if (!(value instanceof BitString)) throw new Error("no bit string where one has to be");
  return value.valueBlock.valueHexView;
}
