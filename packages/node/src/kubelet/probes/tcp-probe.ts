import { connect } from "node:net";
import { dialError, failure, type ProbeOutcome, success } from "./probe-outcome.ts";

/** Well when a connection is accepted. */
export function tcpProbe(host: string, port: number, timeoutMilliseconds: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (outcome: ProbeOutcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => finish(failure(`dial tcp ${host}:${port}: i/o timeout`)), timeoutMilliseconds);
    socket.once("connect", () => finish(success));
    socket.on("error", (error) => finish(failure(dialError(error, `${host}:${port}`))));
  });
}
