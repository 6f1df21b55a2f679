import { configMaps, get, type HostileRequest } from "./request.ts";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const issuer = "https://kubernetes.default.svc.cluster.local";
const claims = { iss: issuer, sub: "system:serviceaccount:kube-system:default", aud: [issuer], exp: 99_999_999_999 };
const kubernetes = { namespace: "kube-system", serviceaccount: { name: "default", uid: "x" } };
const jwt = (header: unknown, payload: unknown, signature = "AAAA") => `${part(header)}.${part(payload)}.${signature}`;
const shows = (why: string, authorization: string) =>
  get(why, configMaps, { anonymous: true, headers: [["Authorization", authorization]] });
const bearer = (why: string, value: string) => shows(why, `Bearer ${value}`);
const as = (why: string, ...headers: readonly (readonly [string, string])[]) =>
  get(why, `${configMaps}?labelSelector=none`, {
    headers: headers.map(([name, value]) => [`Impersonate-${name}`, value]),
  });

/** Tokens that are none, and wishes to be somebody else. */
export const credentials: readonly HostileRequest[] = [
  get("nobody", configMaps, { anonymous: true }),
  get("nobody, at a page for all", "/version", { anonymous: true }),
  get("nobody, at a page for few", "/metrics", { anonymous: true }),
  get("nobody, nowhere", "/bogus", { anonymous: true }),
  get("nobody, at a path that climbs", "/healthz/../api/v1/secrets", { anonymous: true }),
  get("nobody, at a path with double slashes", "//api/v1/secrets", { anonymous: true }),
  get("nobody, at an encoded path", "/%61pi/v1/secrets", { anonymous: true }),
  get("nobody, at an encoded slash", "/api%2fv1%2fsecrets", { anonymous: true }),
  shows("an empty header", ""),
  shows("no scheme", "nonsense"),
  shows("a scheme without a token", "Bearer"),
  shows("a scheme with spaces", "Bearer   "),
  shows("basic authentication", `Basic ${Buffer.from("admin:admin").toString("base64")}`),
  shows("a scheme in other letters", "bEaReR nonsense"),
  shows("two tokens", "Bearer a b"),
  bearer("a token of nobody", "nonsense"),
  bearer("a token of 20,000 letters", "a".repeat(20_000)),
  bearer("a token of bytes above 127", "\xff\xfe"),
  bearer("dots alone", ".."),
  bearer("two dots with nothing sensible", "a.b.c"),
  bearer("a JWT without a signature", `${part({ alg: "ES256" })}.${part(claims)}.`),
  bearer(
    "a JWT whose algorithm is none",
    `${part({ alg: "none" })}.${part({ ...claims, "kubernetes.io": kubernetes })}.`,
  ),
  bearer("a JWT whose algorithm is symmetric", jwt({ alg: "HS256" }, { ...claims, "kubernetes.io": kubernetes })),
  bearer(
    "a JWT that brings its own key",
    jwt({ alg: "ES256", jwk: { kty: "EC", crv: "P-256", x: "AA", y: "AA" } }, claims),
  ),
  bearer("a JWT that names a key by a path", jwt({ alg: "ES256", kid: "../../../../dev/null" }, claims)),
  bearer("a JWT with a critical header", jwt({ alg: "ES256", crit: ["exp"] }, claims)),
  bearer("a JWT with a payload that is no object", jwt({ alg: "ES256" }, [claims])),
  bearer("a JWT with a payload that is null", jwt({ alg: "ES256" }, null)),
  bearer("a JWT with an issuer that is a list", jwt({ alg: "ES256" }, { ...claims, iss: [issuer] })),
  bearer("a JWT with a header that is no JSON", `AAAA.${part(claims)}.AAAA`),
  bearer("a JWT of another issuer", jwt({ alg: "RS256" }, { ...claims, iss: "https://elsewhere" })),
  bearer(
    "a JWT deep within itself",
    `${part({ alg: "ES256" })}.${Buffer.from(`{"iss":${"[".repeat(9000)}${"]".repeat(9000)}}`).toString("base64url")}.A`,
  ),
  get("a token in a WebSocket's protocol, without an upgrade", configMaps, {
    anonymous: true,
    headers: [["Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.bm9uc2Vuc2U, v5.channel.k8s.io"]],
  }),
  get("a token in the query", `${configMaps}?access_token=x&token=y`, { anonymous: true }),
  get("the headers of a front proxy", configMaps, {
    anonymous: true,
    headers: [
      ["X-Remote-User", "admin"],
      ["X-Remote-Group", "system:masters"],
    ],
  }),
  get("nobody who would be an administrator", configMaps, {
    anonymous: true,
    headers: [
      ["Impersonate-User", "admin"],
      ["Impersonate-Group", "system:masters"],
    ],
  }),
  as("somebody empty", ["User", ""]),
  as("somebody of spaces", ["User", " "]),
  as("a group alone", ["Group", "system:masters"]),
  as("a uid alone", ["Uid", "1"]),
  as("an extra alone", ["Extra-scopes", "x"]),
  as("somebody without rights", ["User", "jane"]),
  as("two users", ["User", "jane"], ["User", "joe"]),
  as("somebody with a comma in a group", ["User", "jane"], ["Group", "a,b"]),
  as("somebody in the group of masters", ["User", "jane"], ["Group", "system:masters"]),
  as("a service account of no form", ["User", "system:serviceaccount:x"]),
  as("a service account with too many parts", ["User", "system:serviceaccount:a:b:c"]),
  as("a service account that climbs", ["User", "system:serviceaccount:../a:b"]),
  as("anonymous", ["User", "system:anonymous"]),
  as("a node", ["User", "system:node:x"], ["Group", "system:nodes"]),
  as("an extra with an escape that is none", ["User", "jane"], ["Extra-%zz", "x"]),
  as("an extra named __proto__", ["User", "jane"], ["Extra-__proto__", "x"]),
  as("a name with bytes above 127", ["User", "\xe9\xff"]),
  as("a user of 5,000 letters", ["User", "j".repeat(5000)]),
  as("a header of nowhere", ["User", "jane"], ["Bogus", "x"]),
  get("a hundred unknown headers", `${configMaps}?labelSelector=none`, {
    headers: Array.from({ length: 100 }, (_, at) => [`X-Header-${at}`, "x"] as const),
  }),
  get("an audit id of its own", `${configMaps}?labelSelector=none`, { headers: [["Audit-ID", "mine"]] }),
  get("headers that poison", `${configMaps}?labelSelector=none`, {
    headers: [
      ["__proto__", "x"],
      ["constructor", "y"],
      ["Host", "elsewhere"],
      ["X-Forwarded-For", "10.0.0.1"],
    ],
  }),
];
