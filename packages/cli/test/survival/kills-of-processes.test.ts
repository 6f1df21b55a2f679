import { killStorm } from "./storm.ts";

killStorm("of plain processes", 10, { words: ["--isolation", "processes"] });
