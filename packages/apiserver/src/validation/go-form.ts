/** A value as the server's internal types print it in a message: every field, in the type's order, under its Go name. */
export function goForm(value: object | undefined, fields: readonly string[]): Record<string, unknown> {
  const given = (value ?? {}) as Record<string, unknown>;
  return Object.fromEntries(fields.map((field) => [field, given[jsonName(field)] ?? null]));
}

/** `RunAsUser` → `runAsUser`, `APIGroup` → `apiGroup`, `SELinuxOptions` → `seLinuxOptions`. */
function jsonName(field: string): string {
  if (field.startsWith("SELinux")) return `seLinux${field.slice("SELinux".length)}`;
  return field.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (start) => start.toLowerCase());
}
