import { killStorm } from "./storm.ts";

killStorm("in namespaces", 70);
