import type { FieldFault } from "../field-fault.ts";

// apimachinery/pkg/util/validation/validation.go and pkg/api/validate/content: the messages are those of a 1.36 server.

const nameText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const prefixText =
  "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const keyText =
  "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const valueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const name = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What is wrong with a label's key: `example.com/name`. */
export function labelKeyFaults(key: string): string[] {
  const parts = key.split("/");
  if (parts.length > 2) return [keyText];
  const local = parts.at(-1) ?? "";
  const faults: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") faults.push("prefix part must be non-empty");
    else {
      if (prefix.length > 253) faults.push("prefix part must be no more than 253 bytes");
      if (!subdomain.test(prefix)) faults.push(prefixText);
    }
  }
  if (local === "") faults.push("name part must be non-empty");
  else if (local.length > 63) faults.push("name part must be no more than 63 bytes");
  if (!name.test(local)) faults.push(nameText);
  return faults;
}

/** What is wrong with a label's value. */
export function labelValueFaults(value: string): string[] {
  const faults: string[] = [];
  if (value.length > 63) faults.push("must be no more than 63 bytes");
  if (value !== "" && !name.test(value)) faults.push(valueText);
  return faults;
}

/** The fault of a selector's key, its messages in one. The server has no path for it and says so. */
export function labelKeyFault(key: string): FieldFault | undefined {
  const faults = labelKeyFaults(key);
  return faults.length > 0 ? { type: "Invalid", field: "<nil>", value: key, detail: faults.join("; ") } : undefined;
}

export function labelValueFault(key: string, value: string, at: number): FieldFault | undefined {
  const faults = labelValueFaults(value);
  if (faults.length === 0) return undefined;
  return { type: "Invalid", field: `values[${at}][${key}]`, value, detail: faults.join("; ") };
}
