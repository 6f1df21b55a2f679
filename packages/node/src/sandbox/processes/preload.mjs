// Runs in every Node program of the sandbox without namespaces, before the program itself; plain JavaScript, since the program's Node may be
// older than ours. It gives the program the pod's own address: servers listen there, connections come from there, and the names and
// addresses of Services lead to their pods. It is convenience, not enforcement: a program can do without it.
import dns from "node:dns";
import { readFileSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const {
  DHOW_POD_ADDRESS: podAddress,
  DHOW_POD_NAMESPACE: namespace = "default",
  DHOW_ROUTES: routesFile,
} = process.env;

const anywhere = new Set(["0.0.0.0", "::", "", "localhost", "127.0.0.1", "::1"]);
let routes = { names: {}, fronts: {} };
let readAt = 0;

/** What the agent last wrote: names of Services, and which pods answer for an address and a port. */
function currentRoutes() {
  try {
    const { mtimeMs } = statSync(routesFile);
    if (mtimeMs !== readAt) routes = JSON.parse(readFileSync(routesFile, "utf8"));
    readAt = mtimeMs;
  } catch {
    // Not written yet: no Service is known.
  }
  return routes;
}

/** As the search path of a pod's resolv.conf does it. */
function resolveName(name) {
  const { names } = currentRoutes();
  const endings = ["", `.${namespace}.svc.cluster.local`, ".svc.cluster.local", ".cluster.local"];
  return endings.map((ending) => names[`${name}${ending}`.toLowerCase()]).find((address) => address !== undefined);
}

/** Where a connection really goes. */
function route(host, port) {
  if (anywhere.has(host)) return { host: podAddress, port };
  const address = net.isIP(host) ? host : resolveName(host);
  if (address === undefined) return undefined;
  const pods = currentRoutes().fronts[`${address}:${port}`];
  if (pods === undefined) return { host: address, port };
  // Nobody is ready: a port at which nobody listens refuses, as the kernel would.
  const pod = pods.length > 0 ? pods[Math.floor(Math.random() * pods.length)] : { address: podAddress, port: 1 };
  return { host: pod.address, port: pod.port };
}

if (podAddress) {
  const connect = Reflect.get(net.Socket.prototype, "connect");
  net.Socket.prototype.connect = function connectFromPod(...args) {
    const [options, callback] = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
    const found = options.path ? undefined : route(options.host ?? "localhost", Number(options.port));
    if (found === undefined) return connect.call(this, options, callback);
    const localAddress = found.host.startsWith("127.") ? { localAddress: podAddress } : {};
    return connect.call(this, { ...options, ...found, ...localAddress, family: 4, autoSelectFamily: false }, callback);
  };

  const listen = Reflect.get(net.Server.prototype, "listen");
  net.Server.prototype.listen = function listenAtPod(...args) {
    const [options, callback] = net._normalizeArgs(args);
    const isPort = options.port !== undefined && options.path === undefined && options.fd === undefined;
    if (!isPort || !anywhere.has(options.host ?? "")) return listen.apply(this, args);
    return listen.call(this, { ...options, host: podAddress }, ...(callback ? [callback] : []));
  };

  const { lookup } = dns;
  dns.lookup = function lookupInCluster(name, ...rest) {
    const address = resolveName(name);
    if (address === undefined) return lookup.call(dns, name, ...rest);
    const callback = rest.at(-1);
    const all = typeof rest[0] === "object" && rest[0]?.all;
    process.nextTick(() => (all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)));
    return {};
  };
  const promised = dns.promises.lookup;
  dns.promises.lookup = async function lookupInCluster(name, options) {
    const address = resolveName(name);
    if (address === undefined) return promised.call(dns.promises, name, options);
    const found = { address, family: 4 };
    return typeof options === "object" && options?.all ? [found] : found;
  };
  syncBuiltinESMExports();
}
