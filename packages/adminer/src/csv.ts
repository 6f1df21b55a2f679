/** One line of CSV (RFC 4180). NULL is an empty field, an empty text is `""`, as PostgreSQL's own COPY writes them. */
export function csvLine(values: readonly (string | null)[]): string {
  const field = (value: string | null) => {
    if (value === null) return "";
    return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  };
  return `${values.map(field).join(",")}\r\n`;
}
