import { readFileSync } from "node:fs";

/** One mount, as a line that `mount --all --fstab` takes. */
export interface FstabEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

export function formatFstab(entries: readonly FstabEntry[]): string {
  return entries
    .map(({ source, target, type, options }) => {
      const fields = [source, target, type, options.map(escapeOption).join(","), "0", "0"];
      return `${fields.map(escapeField).join(" ")}\n`;
    })
    .join("");
}

/** fstab(5): spaces and tabs are written in octal. */
function escapeField(text: string): string {
  return text.replace(/[\\ \t\n#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** mount(8): a value that holds a comma is quoted. */
function escapeOption(option: string): string {
  const [name, value] = splitOnce(option, "=");
  return value?.includes(",") ? `${name}="${value}"` : option;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

/**
 * Flags that a read-only remount of a bind must repeat: within a user namespace the kernel refuses to drop those that the
 * machine's own mount has (mount_namespaces(7)).
 */
export function lockedFlags(path: string): string[] {
  const mount = mountPoints()
    .filter(({ point }) => path === point || path.startsWith(point === "/" ? "/" : `${point}/`))
    .sort((a, b) => b.point.length - a.point.length)[0];
  return (mount?.flags ?? []).filter((flag) =>
    ["ro", "nosuid", "nodev", "noexec", "noatime", "relatime"].includes(flag),
  );
}

export function hasMountsBelow(path: string): boolean {
  return mountPoints().some(({ point }) => point.startsWith(`${path}/`));
}

function mountPoints(): { readonly point: string; readonly flags: readonly string[] }[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  return lines.map((line) => {
    const fields = line.split(" ");
    const point = (fields[4] ?? "").replace(/\\(\d{3})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    return { point, flags: (fields[5] ?? "").split(",") };
  });
}
