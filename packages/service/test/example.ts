// A small service as its author would write it; the tests run it as a process.
import { Hono } from "hono";
import { counter, log, requiredEnvironment, routeLabels, serve } from "../src/index.ts";

const greeting = requiredEnvironment("GREETING");
const greetings = counter("greetings_total", "People greeted");
const app = new Hono();
app.use(routeLabels);
app.get("/hello/:name", (context) => {
  greetings.add();
  return context.text(`${greeting}, ${context.req.param("name")}`);
});
app.get("/slow", async (context) => {
  await new Promise((resolve) => setTimeout(resolve, Number(context.req.query("ms"))));
  return context.text("done");
});
app.get("/crash", () => {
  setTimeout(() => {
    throw new Error("nobody caught this");
  });
  return new Promise<Response>(() => undefined);
});
let sick: string | undefined;
app.post("/sick", (context) => {
  sick = "no database";
  return context.body(null, 204);
});

await serve({
  name: "example",
  port: 0,
  handler: app,
  ready: () => sick,
  grace: 2_000,
  close: () => log.info("closed"),
});
