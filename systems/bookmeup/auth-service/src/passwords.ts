import { hash, verify } from "@node-rs/argon2";

/**
 * Argon2id with 19 MiB, two passes, one lane: the least that OWASP's Password Storage Cheat Sheet (2026) recommends. About 35 ms of one core; libuv's
 * four threads bound what runs at once to 76 MiB, well within a limit of 512 MiB.
 */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A hash in PHC string format, with its own salt. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, parameters);
}

let ofNobody: Promise<string> | undefined;

/** Whether the password is that of the hash. Without a hash (no such account) it takes as long and says no: the time tells nothing. */
export async function isRightPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  ofNobody ??= hashPassword("nobody has this password");
  const right = await verify(passwordHash ?? (await ofNobody), password);
  return right && passwordHash !== undefined;
}
