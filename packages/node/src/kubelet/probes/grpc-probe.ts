import { connect, constants } from "node:http2";
import { dialError, failure, type ProbeOutcome, success } from "./probe-outcome.ts";

const serving = 1;
const statusNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** Asks the standard health service, `grpc.health.v1.Health/Check`, and expects SERVING (pkg/probe/grpc/grpc.go). */
export function grpcProbe(host: string, port: number, service: string, timeoutSeconds: number): Promise<ProbeOutcome> {
  const address = `${host}:${port}`;
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const finish = (outcome: ProbeOutcome) => {
      clearTimeout(timer);
      session.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(
      () =>
        finish(
          failure(
            `timeout: failed to connect service "${address}" within ${timeoutSeconds}s: context deadline exceeded`,
          ),
        ),
      timeoutSeconds * 1000,
    );
    session.on("error", (error) => finish(failure(`error: ${dialError(error, address)}`)));
    const request = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": "kube-probe/1.36",
      te: "trailers",
    });
    const pieces: Buffer[] = [];
    let grpcStatus = "";
    request.on("response", (headers) => (grpcStatus ||= String(headers["grpc-status"] ?? "")));
    request.on("trailers", (trailers) => (grpcStatus = String(trailers["grpc-status"] ?? grpcStatus)));
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("error", (error) => finish(failure(`error: ${dialError(error, address)}`)));
    request.on("end", () => finish(verdict(grpcStatus, Buffer.concat(pieces), address)));
    request.end(message(service));
  });
}

function verdict(grpcStatus: string, body: Buffer, address: string): ProbeOutcome {
  if (grpcStatus === "12")
    return failure(
      `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${address}`,
    );
  if (grpcStatus !== "0" && grpcStatus !== "")
    return failure(`error: health rpc probe failed: grpc status ${grpcStatus}`);
  const status = healthStatus(body);
  return status === serving
    ? success
    : failure(`service unhealthy (responded with "${statusNames[status] ?? status}")`);
}

/** HealthCheckRequest{service} in a gRPC frame: not compressed, length, then field 1 as a string. */
function message(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** HealthCheckResponse{status}: field 1 as a varint; 0 is left out on the wire. */
function healthStatus(frame: Buffer): number {
  return frame.length >= 7 && frame[5] === 0x08 ? (frame[6] ?? 0) : 0;
}
