import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { listenersIn } from "../../src/streaming/listeners.ts";

async function listening(host: string) {
  const server = createServer().listen(0, host);
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
}

test("the kernel's own tables tell which ports are open to others and which to the machine itself", async () => {
  using everywhere = await listening("0.0.0.0");
  using here = await listening("127.0.0.1");
  using far = await listening("127.0.0.9");
  const { ports, loopbackPorts } = listenersIn(readFileSync("/proc/net/tcp", "utf8"));
  assert.ok(ports.includes(everywhere.port) && !loopbackPorts.includes(everywhere.port));
  for (const { port } of [here, far]) assert.ok(loopbackPorts.includes(port) && !ports.includes(port));
});

test("IPv6, addresses of IPv4 in IPv6, and connections that are no listeners", () => {
  const zero = "0".repeat(32);
  const row = (address: string, port: string, state: string) =>
    `   0: ${address}:${port} ${zero}:0000 ${state} 00000000:00000000`;
  const table = [
    "  sl  local_address                         remote_address                        st tx_queue rx_queue",
    row(zero, "0050", "0A"),
    row("00000000000000000000000001000000", "1F90", "0A"),
    row("0000000000000000FFFF00000100007F", "1F91", "0A"),
    row("0000000000000000FFFF00000101F40A", "1F92", "0A"),
    row(zero, "1F93", "01"),
    row("00000000000000000000000001000000", "0050", "0A"),
  ].join("\n");
  assert.deepEqual(listenersIn(table), { ports: [80, 8082], loopbackPorts: [8080, 8081] });
  assert.deepEqual(listenersIn(""), { ports: [], loopbackPorts: [] });
});
