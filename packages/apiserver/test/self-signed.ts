import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A DER value: a tag, the length, the contents. */
function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const size = body.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...contents: Uint8Array[]) => der(0x30, ...contents);
const octets = (hex: string) => Buffer.from(hex, "hex");
const identifier = (hex: string) => der(0x06, octets(hex));
const ecdsaWithSha256 = sequence(identifier("2a8648ce3d040302"));

function extension(id: string, value: Uint8Array): Buffer {
  return sequence(identifier(id), der(0x04, value));
}

/** A certificate for 127.0.0.1 that is its own authority, valid for a day around now (RFC 5280). */
export function selfSigned(): { certificate: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = publicKey.export({ type: "spki", format: "der" });
  const name = sequence(der(0x31, sequence(identifier("550403"), der(0x0c, Buffer.from("dhow-test")))));
  const time = (at: number) =>
    der(0x18, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`));
  const day = 86_400_000;
  const isAuthority = extension("551d13", sequence(der(0x01, octets("ff"))));
  const alternativeNames = extension(
    "551d11",
    sequence(der(0x87, octets("7f000001")), der(0x82, Buffer.from("localhost"))),
  );
  const keyIdentifier = extension("551d0e", der(0x04, createHash("sha1").update(key).digest()));
  const toSign = sequence(
    der(0xa0, der(0x02, octets("02"))),
    der(0x02, Buffer.concat([octets("01"), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    sequence(time(Date.now() - day / 2), time(Date.now() + day / 2)),
    name,
    key,
    der(0xa3, sequence(isAuthority, alternativeNames, keyIdentifier)),
  );
  const signature = sign("sha256", toSign, privateKey);
  const certificate = sequence(toSign, ecdsaWithSha256, der(0x03, octets("00"), signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}
