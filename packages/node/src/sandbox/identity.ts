import type { ContainerConfig } from "./sandbox.ts";
import { toolCommand } from "./tools.ts";

type Identity = Pick<
  ContainerConfig,
  "root" | "user" | "group" | "supplementalGroups" | "capabilities" | "noNewPrivileges"
>;

/** What makes the rest of a command line run as the container's user, with nothing but the capabilities that it was given. */
export function identityCommand(identity: Identity, userNamespace: boolean): string[] {
  const setpriv = toolCommand("setpriv", identity.root);
  const drops = privilegeDrops(identity);
  if (!userNamespace) return [...setpriv, ...userOptions(identity), ...drops];
  // Root of the world has the world's user's own rights only; other users are a name for it within a further user namespace.
  if (identity.user === 0) return [...setpriv, ...drops];
  const mapping = [`--map-user=${identity.user}`, `--map-group=${identity.group}`];
  return [...toolCommand("unshare", identity.root), "--user", ...mapping, "--keep-caps", ...setpriv, ...drops];
}

/** The same for a process that was brought into the container's namespaces from outside. */
export function identityCommandInside(identity: Identity, userNamespace: boolean): string[] {
  const user = userNamespace ? [] : userOptions(identity);
  return [...toolCommand("setpriv", identity.root), ...user, ...privilegeDrops(identity)];
}

function userOptions({ user, group, supplementalGroups }: Identity): string[] {
  const groups = supplementalGroups.length > 0 ? [`--groups=${supplementalGroups.join(",")}`] : ["--clear-groups"];
  return [`--reuid=${user}`, `--regid=${group}`, ...groups];
}

function privilegeDrops({ capabilities, noNewPrivileges }: Identity): string[] {
  const kept = capabilities.map((name) => `,+${name.toLowerCase()}`).join("");
  const drops = [`--bounding-set=-all${kept}`, "--inh-caps=-all", "--ambient-caps=-all"];
  return noNewPrivileges ? [...drops, "--no-new-privs"] : drops;
}
