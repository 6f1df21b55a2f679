export { createAdminer } from "./app.ts";
export type { Configuration, PageUser } from "./configuration.ts";
