import { createDataClient } from "@bookmeup/contract";
import { serve } from "@dhow/service";
import { createLogicApp } from "./app.ts";
import { loadVerification } from "./authentication.ts";
import { readConfiguration } from "./configuration.ts";

const configuration = readConfiguration();
const app = createLogicApp(createDataClient({ url: configuration.dataUrl }), configuration);

await serve({ name: "logic-service", port: 5002, handler: app });
await loadVerification();
