import { nginxServer } from "./nginx.ts";
import { node } from "./node.ts";
import { postgres } from "./postgres.ts";
import type { Program } from "./program.ts";
import { pythonServer } from "./python.ts";

/** The columns of the table. */
export const programs: readonly Program[] = [node, postgres, pythonServer, nginxServer];
