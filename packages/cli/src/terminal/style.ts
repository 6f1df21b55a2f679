import { styleText } from "node:util";

type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan";

/** Colour where a terminal shows it and nobody said NO_COLOR (`styleText` looks at both). */
export function style(name: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(name, text, { stream });
}
