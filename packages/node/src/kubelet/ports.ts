import type { Container } from "@dhow/kube";

/** The number of a port that a probe or hook names: a number, or the name of one of the container's ports. */
export function resolvePort(container: Container, port: number | string): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  if (named) return named;
  const number = Number(port);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${JSON.stringify(container.name)}`);
}
