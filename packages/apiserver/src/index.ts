export type { AdmissionAttributes, AdmissionPlugin, UserInfo } from "./admission.ts";
export { httpListeners, httpServerOptions, type Listeners } from "./http/listener.ts";
export { type ApiRequest, type ApiServer, type ApiServerOptions, createApiServer } from "./server.ts";
