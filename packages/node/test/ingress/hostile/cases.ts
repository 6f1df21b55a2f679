/** Bytes that a client may send to the ingress, by what is odd about them. */
export type Cases = Readonly<Record<string, Buffer>>;

interface Words {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** One line each; a Host of `any.test` is added unless there is one, or `host: false`. */
  readonly lines?: readonly string[];
  readonly host?: false;
  readonly body?: string;
}

function request({
  method = "GET",
  target = "/public",
  version = "HTTP/1.1",
  lines = [],
  host,
  body = "",
}: Words): Buffer {
  const named = host === false || lines.some((line) => /^host[ \t]*:/i.test(line));
  const all = [`${method} ${target} ${version}`, ...(named ? [] : ["Host: any.test"]), ...lines];
  return Buffer.from(`${all.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

const to = (target: string) => request({ target });
const says = (...lines: string[]) => request({ lines });
const posts = (body: string, ...lines: string[]) => request({ method: "POST", lines, body });
/** What would be a request of its own where somebody took another end for that of the first. */
const second = "GET /admin HTTP/1.1\r\nHost: any.test\r\nX-Smuggled: yes\r\n\r\n";
const chunks = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

const paths: Cases = {
  "a path": to("/public/x?y=%2e%2e/z"),
  "two dots": to("/public/../admin"),
  "two dots, encoded": to("/public/%2e%2e/admin"),
  "two dots, half encoded": to("/public/.%2E/admin"),
  "two dots, encoded twice": to("/public/%252e%252e/admin"),
  "two dots behind a backslash": to("/public\\..\\admin"),
  "dots that lead out of everything": to("/../../admin"),
  "dots that lead out, encoded": to("/%2e%2e/%2e%2e/admin"),
  "dots that lead nowhere": to("/public/./x"),
  "dots at the end": to("/admin/.."),
  "three dots": to("/public/.../admin"),
  "two slashes": to("//admin"),
  "two slashes within": to("/public//x"),
  "two slashes and dots": to("/public//../admin"),
  "an encoded slash": to("/public%2Fx"),
  "an encoded slash before": to("/%2Fadmin"),
  "an encoded letter": to("/%61dmin"),
  "an encoded percent sign": to("/public/%2561"),
  "an encoded zero": to("/public/%00"),
  "an encoded line end": to("/public/%0d%0aX-Smuggled:%20yes"),
  "a broken escape": to("/public/%zz"),
  "half an escape": to("/public/%2"),
  "a semicolon": to("/public/..;/admin"),
  "a path of bytes above 127": to("/public/\xff\xfe"),
  "a path with an angle": to("/public/<x>\"'"),
  "a fragment": to("/public#/admin"),
  exactly: to("/exact"),
  "exactly, and a slash": to("/exact/"),
  "exactly, in other letters": to("/EXACT"),
  "exactly, after dots": to("/x/../exact"),
  "exactly, encoded": to("/ex%61ct"),
  "a neighbour's name": to("/publicity"),
  "no path": to(""),
  "a path without a slash": to("public"),
  "a path of 100,000 letters": to(`/public/${"x".repeat(100_000)}`),
};

const targets: Cases = {
  "absolute form": to("http://any.test/public"),
  "absolute form of another host": to("http://own.test/public"),
  "absolute form without a path": to("http://own.test"),
  "absolute form with a query alone": to("http://own.test?x=/admin"),
  "absolute form with a user": to("http://any.test@own.test/public"),
  "absolute form of another scheme": to("ftp://own.test/public"),
  "authority form": request({ method: "CONNECT", target: "own.test:80" }),
  "authority form for a path": request({ method: "CONNECT", target: "/admin" }),
  "asterisk form": request({ method: "OPTIONS", target: "*" }),
  "asterisk form of a GET": to("*"),
};

const hosts: Cases = {
  "no host": request({ host: false }),
  "no host, HTTP/1.0": request({ host: false, version: "HTTP/1.0" }),
  "an empty host": says("Host:"),
  "a host of its own": says("Host: own.test"),
  "a host with a port": says("Host: own.test:8080"),
  "a host in other letters": says("Host: OWN.Test"),
  "a host with a dot at its end": says("Host: own.test."),
  "two hosts": says("Host: any.test", "Host: own.test"),
  "the same host twice": says("Host: any.test", "Host: any.test"),
  "a list of hosts": says("Host: any.test, own.test"),
  "a host with a path": says("Host: any.test/admin"),
  "a host with a user": says("Host: any.test@own.test"),
  "a host with a space": says("Host: any.test own.test"),
  "a host of bytes above 127": says("Host: \xff\xfe"),
  "a host that is a wildcard": says("Host: *.test"),
  "a host that climbs": says("Host: ../../etc"),
  "an address": says("Host: [::1]:80"),
};

const lengths: Cases = {
  "a body": posts("hello", "Content-Length: 5"),
  "a body in chunks": posts(chunks("hello"), "Transfer-Encoding: chunked"),
  "two lengths": posts(`hello${second}`, "Content-Length: 5", `Content-Length: ${5 + second.length}`),
  "the same length twice": posts("hello", "Content-Length: 5", "Content-Length: 5"),
  "a list of lengths": posts("hello", "Content-Length: 5, 5"),
  "a length below zero": posts("hello", "Content-Length: -5"),
  "a length with a sign": posts("hello", "Content-Length: +5"),
  "a length in hexadecimal": posts("hello", "Content-Length: 0x5"),
  "a length beyond numbers": posts("hello", "Content-Length: 99999999999999999999"),
  "a length with a letter": posts("hello", "Content-Length: 5x"),
  "a length without a value": posts("hello", "Content-Length:"),
  "a length and chunks": posts(chunks(second), "Content-Length: 4", "Transfer-Encoding: chunked"),
  "chunks and a length": posts(
    `0\r\n\r\n${second}`,
    "Transfer-Encoding: chunked",
    `Content-Length: ${5 + second.length}`,
  ),
  "a length that the connection names": request({
    lines: ["Connection: content-length", `Content-Length: ${second.length}`],
    body: second,
  }),
  "a length that the connection names, of a POST": posts(
    second,
    "Connection: keep-alive, Content-Length",
    `Content-Length: ${second.length}`,
  ),
  "chunks that the connection names": posts(
    chunks(second),
    "Connection: transfer-encoding",
    "Transfer-Encoding: chunked",
  ),
  "a host that the connection names": says("Connection: host"),
  "an unknown coding": posts(chunks("hello"), "Transfer-Encoding: xchunked"),
  "a coding before chunks": posts(chunks("hello"), "Transfer-Encoding: gzip, chunked"),
  "chunks before a coding": posts(chunks("hello"), "Transfer-Encoding: chunked, gzip"),
  "chunks twice": posts(chunks("hello"), "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
  "no coding": posts("hello", "Content-Length: 5", "Transfer-Encoding: identity"),
  "a coding after a tab": posts(chunks(second), "Transfer-Encoding:\tchunked", "Content-Length: 4"),
  "a coding after a vertical tab": posts(chunks(second), "Transfer-Encoding: \x0bchunked", "Content-Length: 4"),
  "a coding whose name ends in a space": posts(chunks(second), "Transfer-Encoding : chunked", "Content-Length: 4"),
  "a coding on a folded line": posts(chunks(second), "Transfer-Encoding:\r\n chunked", "Content-Length: 4"),
  "a coding behind a line end alone": posts(chunks(second), "X: y\nTransfer-Encoding: chunked", "Content-Length: 4"),
  "chunks in HTTP/1.0": request({
    method: "POST",
    version: "HTTP/1.0",
    lines: ["Transfer-Encoding: chunked", "Connection: keep-alive"],
    body: chunks("hello"),
  }),
  "a chunk whose size is none": posts("xyz\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
  "a chunk whose size is below zero": posts("-5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
  "a chunk whose size is beyond numbers": posts(
    "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked",
  ),
  "a chunk that is shorter than its size": posts("ff\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
  "a chunk that is longer than its size": posts("2\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
  "a chunk with an extension": posts('5;x="y"\r\nhello\r\n0\r\n\r\n', "Transfer-Encoding: chunked"),
  "a chunk behind a line end alone": posts("5\nhello\n0\n\n", "Transfer-Encoding: chunked"),
  "chunks with a trailer": posts(
    "5\r\nhello\r\n0\r\nX-Real-IP: 6.6.6.6\r\n\r\n",
    "Transfer-Encoding: chunked",
    "Trailer: X-Real-IP",
  ),
  "a body that never comes": posts("hel", "Content-Length: 5"),
  "a wish to continue": posts("hello", "Expect: 100-continue", "Content-Length: 5"),
  "another expectation": posts("hello", "Expect: 200-ok", "Content-Length: 5"),
};

const headers: Cases = {
  "who asks, as the client says": says(
    "X-Forwarded-For: 6.6.6.6",
    "X-Real-IP: 6.6.6.6",
    "X-Forwarded-Host: evil.test",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Port: 666",
  ),
  "who asks, with underscores": says("X_Forwarded_For: 6.6.6.6", "X_Real_IP: 6.6.6.6", "X-Forwarded_Host: evil.test"),
  "who asks, by the standard": says("Forwarded: for=6.6.6.6;host=evil.test"),
  "who asks, twice": says("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 7.7.7.7"),
  "who asks, as the connection names it": says("Connection: X-Forwarded-For, X-Real-IP", "X-Forwarded-For: 6.6.6.6"),
  "a proxy for the program": says("Proxy: http://evil.test"),
  "a name with dots": says("X.Dot: 1"),
  "a name with a space": says("X Y: 1"),
  "a name of bytes above 127": says("X\xff: 1"),
  "a line without a colon": says("nonsense"),
  "an empty name": says(": 1"),
  "a value with a zero": says("X: a\0b"),
  "a value with a line end alone": says("X: a\nX-Smuggled: yes"),
  "a value with a return alone": says("X: a\rX-Smuggled: yes"),
  "a folded line": says("X: a\r\n b"),
  "a space before the first header": says(" X: 1"),
  "a name of the language": says("__proto__: x", "constructor: y", "toString: z"),
  "100,000 bytes of headers": says(`X: ${"x".repeat(100_000)}`),
  "2,000 headers": says(...Array.from({ length: 2000 }, (_, at) => `X-${at}: 1`)),
};

const beginnings: Cases = {
  "another version": request({ version: "HTTP/2.0" }),
  "a version that is none": request({ version: "HTTP/x" }),
  "no version": Buffer.from("GET /public\r\n\r\n"),
  "an unknown method": request({ method: "BREW" }),
  "a method in small letters": request({ method: "get" }),
  "a method with a line end": Buffer.from("GE\r\nT /public HTTP/1.1\r\nHost: any.test\r\n\r\n"),
  "a line end in the target": Buffer.from("GET /public\r\nX: y HTTP/1.1\r\nHost: any.test\r\n\r\n"),
  "spaces in the target": to("/public /admin"),
  "a tab in the target": to("/public\t/admin"),
  "a zero in the target": to("/public\0/admin"),
  "empty lines first": Buffer.concat([Buffer.from("\r\n\r\n"), to("/public")]),
  TLS: Buffer.from("16030100a5010000a10303", "hex"),
  "the preface of HTTP/2": Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  "nothing but zeros": Buffer.alloc(2000),
  "two requests at once": Buffer.concat([to("/public/1"), to("/public/2")]),
};

const upgrades: Cases = {
  "an upgrade that nobody takes": Buffer.concat([
    says("Connection: Upgrade", "Upgrade: nonsense"),
    Buffer.from(second),
  ]),
  "an upgrade to a WebSocket that nobody takes": Buffer.concat([
    says(
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
    Buffer.from(second),
  ]),
  "an upgrade to HTTP/2": says(
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
  ),
  "an upgrade with a body": posts(`hello${second}`, "Connection: Upgrade", "Upgrade: nonsense", "Content-Length: 5"),
  "an upgrade without a word of the connection": says("Upgrade: websocket"),
  "an upgrade with a line end": says("Connection: Upgrade", "Upgrade: a\nX-Smuggled: yes"),
  "an upgrade of a path that climbs": request({
    target: "/public/../admin",
    lines: ["Connection: Upgrade", "Upgrade: nonsense"],
  }),
};

export const cases: Cases = { ...paths, ...targets, ...hosts, ...lengths, ...headers, ...beginnings, ...upgrades };
