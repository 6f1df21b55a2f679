import { spawn } from "node:child_process";

/** Opens a page in the person's browser, if this system has a way to. */
export function openInBrowser(url: string | undefined): void {
  if (!url) return;
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(program, [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
