import { eventually } from "@dhow/testkit";
import { nodeImage, type Sketch, type Trial } from "../fact.ts";

const server =
  "require('http').createServer((q,s)=>s.end(require('os').hostname()+' '+q.socket.remoteAddress+' '+q.url)).listen(8080)";

/** A pod that answers with its name, the address of who asks, and the path that was asked for. */
export function web(
  name: string,
  labels: Record<string, string> = {},
  more: { spec?: object; container?: object } = {},
): Sketch {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "main",
          image: nodeImage,
          command: ["node", "-e", server],
          ports: [{ name: "http", containerPort: 8080 }],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          ...more.container,
        },
      ],
      ...more.spec,
    },
  };
}

/** A Service that leads from port 80 to the port `http` of the pods with `app: <app>`. */
export function service(name: string, app: string, spec: object = {}): Sketch {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: "http" }], ...spec },
  };
}

/** Runs a line of JavaScript in a pod, and gives what it printed. */
export async function evaluate(t: Trial, pod: string, script: string): Promise<string> {
  return (await t.kubectl.run`exec ${pod} -- node -e ${script}`).trim();
}

/** What a pod is answered, once it is. */
export function reach(t: Trial, from: string, url: string): Promise<string> {
  return eventually(() => evaluate(t, from, `fetch('${url}').then((a)=>a.text()).then(console.log)`));
}
