// Reads struct definitions out of the Go modules of the Kubernetes API: protobuf numbers, pointers, what is left out when it is empty.
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface GoField {
  /** Name in JSON; empty for an embedded struct without a tag of its own. */
  readonly json: string;
  readonly goName: string;
  readonly goType: string;
  readonly inline: boolean;
  readonly omitEmpty: boolean;
  /** 0 where the field is not in protobuf. */
  readonly number: number;
}

export interface GoPackage {
  /** Import path, such as `k8s.io/api/core/v1`. */
  readonly path: string;
  readonly structs: Map<string, GoField[]>;
  /** `type Name <something that is not a struct>`. */
  readonly named: Map<string, string>;
}

const aStruct = /^type (\w+) struct \{$/;
const aNamed = /^type (\w+) =? ?((?:\[\]|map\[)?[\w.*[\]]+)$/;
const aField = /^\t(?:(\w+)\s+)?(\*?[\w.[\]*]+)\s*`([^`]*)`/;

function tag(tags: string, name: string): string | undefined {
  return new RegExp(`${name}:"([^"]*)"`).exec(tags)?.[1];
}

function parseField(line: string): GoField | undefined {
  const match = aField.exec(line);
  if (!match) return undefined;
  const [, name, goType = "", tags = ""] = match;
  const json = (tag(tags, "json") ?? "").split(",");
  const number = Number((tag(tags, "protobuf") ?? "").split(",")[1] ?? 0);
  return {
    json: json[0] ?? "",
    goName: name ?? goType.split(".").at(-1) ?? "",
    goType,
    inline: json.includes("inline") || json[0] === "",
    omitEmpty: json.includes("omitempty") || json.includes("omitzero"),
    number,
  };
}

function parseFile(text: string, into: GoPackage): void {
  let fields: GoField[] | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/\s*\/\/.*$/, "");
    if (fields) {
      if (line === "}") fields = undefined;
      else {
        const field = parseField(line);
        if (field) fields.push(field);
      }
      continue;
    }
    const struct = aStruct.exec(line);
    if (struct?.[1]) into.structs.set(struct[1], (fields = []));
    const named = aNamed.exec(line);
    if (named?.[1] && named[2] && named[2] !== "struct") into.named.set(named[1], named[2]);
  }
}

export function readGoPackage(folder: string, path: string): GoPackage {
  const result: GoPackage = { path, structs: new Map(), named: new Map() };
  for (const file of globSync(join(folder, "*.go")).sort()) {
    if (!/_test\.go$|generated/.test(file)) parseFile(readFileSync(file, "utf8"), result);
  }
  return result;
}

/** Fetches modules of one version with the Go tool and gives their folders by module path. Throws where there is no Go. */
export function downloadModules(modules: readonly string[], version: string): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "dhow-go-"));
  try {
    writeFileSync(join(folder, "go.mod"), "module facts\n\ngo 1.24\n");
    const words = modules.map((module) => `${module}@${version}`);
    const output = execFileSync("go", ["mod", "download", "-json", ...words], { cwd: folder, encoding: "utf8" });
    const found = new Map<string, string>();
    for (const one of output.split(/^(?=\{)/m)) {
      const { Path, Dir, Error } = JSON.parse(one) as { Path: string; Dir?: string; Error?: string };
      if (Dir === undefined) throw new TypeError(`go mod download ${Path}: ${Error ?? "no folder"}`);
      found.set(Path, Dir);
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
