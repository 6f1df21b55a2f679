import { type ApiServer, type ApiServerOptions, createApiServer } from "@dhow/apiserver";
import { type HttpResponse, type KubeObject, readText } from "@dhow/kube";

/** Calls the server's functions as an administrator would over HTTP. */
export interface InProcess extends AsyncDisposable {
  readonly api: ApiServer;
  /** The body is sent as JSON unless it is text; an answer that is no success throws. */
  call<T = KubeObject>(method: string, path: string, body?: unknown, type?: string): Promise<T>;
  raw(method: string, path: string, options?: RawOptions): Promise<HttpResponse>;
}

export interface RawOptions {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A server without a disk and without sockets. */
export async function startInProcess(options: ApiServerOptions = {}): Promise<InProcess> {
  const api = await createApiServer(options);
  // The server's own timers let a process end; a test waits for them.
  const awake = setInterval(() => undefined, 1000);
  const connection = { remoteAddress: "127.0.0.1", user: { name: "admin", groups: ["system:masters"] } };
  const raw: InProcess["raw"] = (method, path, { body, headers = {}, signal } = {}) =>
    api.handle({
      method,
      path,
      headers: { "user-agent": "test/1", ...headers },
      connection,
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    });
  return {
    api,
    raw,
    async call<T>(method: string, path: string, body?: unknown, type = "application/json") {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const response = await raw(method, path, {
        headers: { "content-type": type },
        ...(text === undefined ? {} : { body: text }),
      });
      const answer = await readText(response.body);
      if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
      return JSON.parse(answer) as T;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(awake);
      await api.close();
    },
  };
}
