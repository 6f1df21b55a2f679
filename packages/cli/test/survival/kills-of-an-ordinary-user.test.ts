import { nobody } from "../fixture.ts";
import { killStorm } from "./storm.ts";

if (process.getuid?.() === 0) killStorm("of an ordinary user", 10, { user: nobody });
