import { serve } from "@dhow/service";
import { createAdminer } from "./app.ts";
import { readConfiguration } from "./configuration.ts";

await serve({ name: "adminer", port: 8080, handler: createAdminer(readConfiguration()) });
