import type { DataClient } from "@bookmeup/contract";
import { createApi } from "@bookmeup/contract/server";
import type { Hono } from "hono";
import { authenticator } from "./authentication.ts";
import type { Configuration } from "./configuration.ts";
import { pageRoutes } from "./page.ts";
import { profileRoutes } from "./routes/profile.ts";
import { serviceRoutes } from "./routes/services.ts";

/** Everything under /services and /profile, and the page at `/`. */
export function createLogicApp(data: DataClient, { keys }: Pick<Configuration, "keys">): Hono {
  const app = createApi();
  const authenticate = authenticator(keys);
  for (const path of ["/services/health", "/profile/health"])
    app.get(path, (context) => context.json({ status: "healthy" }));
  serviceRoutes(app, data, authenticate);
  profileRoutes(app, data, authenticate);
  pageRoutes(app);
  return app;
}
