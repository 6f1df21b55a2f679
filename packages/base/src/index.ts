export { type Clock, sleep, systemClock } from "./clock.ts";
export { DhowError, type Fault, formatPlace, messageOf, type Place } from "./errors.ts";
export { randomSuffix, randomToken, uid } from "./ids.ts";
export { goOnWithoutLog } from "./output.ts";
export { type Report, type Reporter, silent } from "./reporter.ts";
