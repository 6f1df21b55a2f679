export type { AdmissionAttributes, AdmissionPlugin, UserInfo } from "./admission.ts";
export { type ApiRequest, type ApiServer, type ApiServerOptions, createApiServer } from "./server.ts";
