import { log, refuseConfiguration, serve } from "@dhow/service";
import { readConfiguration } from "./configuration.ts";
import { DataService } from "./data-service.ts";
import { MigrationRefused } from "./migrate.ts";

const configuration = readConfiguration();
const service = new DataService(configuration);

await serve({
  name: "db-service",
  port: 5003,
  handler: { fetch: (request, environment) => service.answer(request, environment) },
  ready: () => service.readiness(),
  close: () => service.close(),
});

try {
  await service.start();
} catch (error) {
  if (error instanceof MigrationRefused) refuseConfiguration(error.message);
  log.error("cannot migrate", { error });
  process.exit(1);
}
