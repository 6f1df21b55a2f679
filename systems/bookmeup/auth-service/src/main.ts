import { createDataClient } from "@bookmeup/contract";
import { serve } from "@dhow/service";
import { createAuthApp } from "./app.ts";
import { readConfiguration } from "./configuration.ts";
import { loadSigning } from "./tokens.ts";

const configuration = readConfiguration();
const app = createAuthApp(createDataClient({ url: configuration.dataUrl }), configuration);

await serve({ name: "auth-service", port: 5001, handler: app });
await loadSigning();
