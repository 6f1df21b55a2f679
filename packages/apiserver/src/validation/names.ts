/**
 * What names, keys and values may look like, with the server's own words for what is wrong (apimachinery/pkg/util/validation/validation.go and
 * apimachinery/pkg/api/validate/content). Each check returns one message a fault, none when all is well.
 */
export type NameRule = (name: string, prefix: boolean) => string[];

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const label1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${subdomain}$`);
const label1035Pattern = new RegExp(`^${label1035}$`);
const wildcardPattern = new RegExp(`^\\*\\.${subdomain}$`);
const qualifiedPattern = new RegExp(`^${qualified}$`);

const alphanumericEnds = "and must start and end with an alphanumeric character";

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** `message (e.g. 'a',  or 'b', regex used for validation is '…')`: the double blank is the server's. */
export function patternMessage(message: string, pattern: string, ...examples: string[]): string {
  const list = examples.map((example) => `'${example}', `).join(" or ");
  return examples.length === 0
    ? `${message} (regex used for validation is '${pattern}')`
    : `${message} (e.g. ${list}regex used for validation is '${pattern}')`;
}

export function rangeMessage(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

export function checkLabel1123(value: string): string[] {
  const faults = bytes(value) > 63 ? ["must be no more than 63 characters"] : [];
  if (labelPattern.test(value)) return faults;
  if (subdomainPattern.test(value)) return [...faults, "must not contain dots"];
  const message = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${alphanumericEnds}`;
  return [...faults, patternMessage(message, label, "my-name", "123-abc")];
}

export function checkSubdomain(value: string): string[] {
  const faults = bytes(value) > 253 ? ["must be no more than 253 characters"] : [];
  if (subdomainPattern.test(value)) return faults;
  const message = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${alphanumericEnds}`;
  return [...faults, patternMessage(message, subdomain, "example.com")];
}

export function checkLabel1035(value: string): string[] {
  const faults = bytes(value) > 63 ? ["must be no more than 63 characters"] : [];
  if (label1035Pattern.test(value)) return faults;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...faults, patternMessage(message, label1035, "my-name", "abc-123")];
}

export function checkWildcardSubdomain(value: string): string[] {
  const faults = bytes(value) > 253 ? ["must be no more than 253 characters"] : [];
  if (wildcardPattern.test(value)) return faults;
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...faults, patternMessage(message, `\\*\\.${subdomain}`, "*.example.com")];
}

const qualifiedWording = patternMessage(
  `must consist of alphanumeric characters, '-', '_' or '.', ${alphanumericEnds}`,
  qualified,
  "MyName",
  "my.name",
  "123-abc",
);

/** Names that were found good: they are few, and come again with every write. */
const goodNames = new Set<string>();
const mostGoodNames = 1024;

/** Keys of labels and annotations, names of finalizers and resources: `example.com/MyName`. */
export function checkQualifiedName(value: string): string[] {
  if (goodNames.has(value)) return [];
  const faults = qualifiedNameFaults(value);
  if (faults.length > 0) return faults;
  if (goodNames.size >= mostGoodNames) goodNames.clear();
  goodNames.add(value);
  return faults;
}

function qualifiedNameFaults(value: string): string[] {
  const parts = value.split("/");
  if (parts.length > 2) {
    return [
      `a valid label key ${qualifiedWording} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const faults: string[] = [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) faults.push(...checkPrefix(parts[0] ?? ""));
  if (name === "") faults.push("name part must be non-empty");
  else if (bytes(name) > 63) faults.push("name part must be no more than 63 bytes");
  if (!qualifiedPattern.test(name)) faults.push(`name part ${qualifiedWording}`);
  return faults;
}

/** The same rules as `checkSubdomain`, in the words of apimachinery/pkg/api/validate/content/dns.go. */
function checkPrefix(prefix: string): string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  const faults = bytes(prefix) > 253 ? ["prefix part must be no more than 253 bytes"] : [];
  if (subdomainPattern.test(prefix)) return faults;
  const message = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${alphanumericEnds}`;
  return [...faults, `prefix part ${patternMessage(message, subdomain, "example.com")}`];
}

export function checkLabelValue(value: string): string[] {
  const faults = bytes(value) > 63 ? ["must be no more than 63 bytes"] : [];
  if (value === "" || qualifiedPattern.test(value)) return faults;
  const message = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${alphanumericEnds}`;
  return [...faults, patternMessage(message, `(${qualified})?`, "MyValue", "my_value", "12345")];
}

/** Keys of ConfigMaps and Secrets. */
export function checkConfigKey(value: string): string[] {
  const faults = bytes(value) > 253 ? ["must be no more than 253 characters"] : [];
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    faults.push(patternMessage(message, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
  }
  if (value === ".") faults.push("must not be '.'");
  else if (value === "..") faults.push("must not be '..'");
  else if (value.startsWith("..")) faults.push("must not start with '..'");
  return faults;
}

/** Names of environment variables, under the relaxed rule that Kubernetes has had on since 1.32. */
export function checkEnvironmentName(value: string): string[] {
  if (value === "") return ["environment variable name must be non-empty"];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Names of ports: IANA service names (RFC 6335). */
export function checkPortName(value: string): string[] {
  const faults = bytes(value) > 15 ? ["must be no more than 15 characters"] : [];
  if (!/^[-a-z0-9]+$/.test(value)) {
    faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) faults.push("must contain at least one letter (a-z)");
  if (value.includes("--")) faults.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) faults.push("must not begin or end with a hyphen");
  return faults;
}

export function checkPortNumber(value: number): string[] {
  return value >= 1 && value <= 65535 ? [] : [rangeMessage(1, 65535)];
}

export function checkHttpHeaderName(value: string): string[] {
  if (/^[-A-Za-z0-9]+$/.test(value)) return [];
  const message = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [patternMessage(message, "[-A-Za-z0-9]+", "X-Header-Name")];
}

export function checkPercent(value: string): string[] {
  if (/^[0-9]+%$/.test(value)) return [];
  const message = "a valid percent string must be a numeric string followed by an ending '%'";
  return [patternMessage(message, "[0-9]+%", "1%", "93%")];
}

/** A prefix may end in a dash, because something is appended to it. */
function unmasked(name: string, prefix: boolean): string {
  return prefix && name.length > 1 && name.endsWith("-") ? `${name.slice(0, -1)}a` : name;
}

export const subdomainName: NameRule = (name, prefix) => checkSubdomain(unmasked(name, prefix));
export const labelName: NameRule = (name, prefix) => checkLabel1123(unmasked(name, prefix));
export const label1035Name: NameRule = (name, prefix) => checkLabel1035(unmasked(name, prefix));

/** Whatever fits into one piece of a path: names of roles and role bindings (`system:node`). */
export const pathSegmentName: NameRule = (name, prefix) => {
  if (!prefix && (name === "." || name === "..")) return [`may not be '${name}'`];
  return ["/", "%"].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
};
