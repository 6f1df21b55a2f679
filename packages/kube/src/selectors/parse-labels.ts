import { checked, type LabelOperator, labelKeyOnly, type LabelRequirement } from "./label-selector.ts";

// The grammar and the messages are those of apimachinery/pkg/labels/selector.go.

const symbols = new Set(["=", "==", "!=", "!", "(", ")", ",", ">", "<"]);
const binaryOperators: ReadonlySet<string> = new Set(["=", "==", "!=", "in", "notin", ">", "<"]);
const operatorNames = "in, notin, =, ==, !=, gt, lt";

/** `literal` is empty only at the end. */
interface Token {
  readonly literal: string;
  readonly kind: "word" | "symbol" | "error" | "end";
}

/**
 * Reads the `labelSelector` of a request or of `kubectl -l`: `app=web,tier in (a,b),!canary`. Throws an Error whose message is the server's; the server answers 400 with it.
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return new LabelParser(tokens(text)).parse();
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const [literal] of text.matchAll(/[=!(),<>]+|[^=!(),<>\s]+/g)) {
    if (/^[^=!(),<>]/.test(literal)) found.push({ literal, kind: "word" });
    else found.push(...symbolTokens(literal));
  }
  found.push({ literal: "", kind: "end" });
  return found;
}

/** Cuts a run of special characters into the longest known symbols. */
function symbolTokens(run: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < run.length;) {
    const two = run.slice(at, at + 2);
    const literal = two.length === 2 && symbols.has(two) ? two : run.slice(at, at + 1);
    found.push({ literal, kind: "symbol" });
    at += literal.length;
  }
  return found;
}

class LabelParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return requirements;
      if (!startsRequirement(token))
        throw new Error(`found '${token.literal}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#wrapped());
      const next = this.#take();
      if (next.kind === "end") return requirements;
      if (next.literal !== ",") throw new Error(`found '${next.literal}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (!startsRequirement(after)) throw new Error(`found '${after.literal}', expected: identifier after ','`);
    }
  }

  #wrapped(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (error) {
      throw new Error(`unable to parse requirement: ${(error as Error).message}`, { cause: error });
    }
  }

  #requirement(): LabelRequirement {
    const first = this.#take();
    const negated = first.literal === "!" && first.kind === "symbol";
    const key = negated ? this.#take() : first;
    if (key.kind !== "word") throw new Error(`found '${key.literal}', expected: identifier`);
    labelKeyOnly(key.literal);
    const next = this.#peek();
    if (next.kind === "end" || next.literal === ",") return checked(key.literal, negated ? "!" : "exists", []);
    if (negated) return checked(key.literal, "!", []);
    const operator = this.#take();
    if (!binaryOperators.has(operator.literal)) {
      throw new Error(`found '${operator.literal}', expected: ${operatorNames}`);
    }
    const values = operator.literal === "in" || operator.literal === "notin" ? this.#values() : [this.#exactValue()];
    return checked(key.literal, operator.literal as LabelOperator, values);
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.kind === "end" || next.literal === ",") return "";
    this.#at += 1;
    if (next.kind !== "word") throw new Error(`found '${next.literal}', expected: identifier`);
    return next.literal;
  }

  #values(): string[] {
    const open = this.#take();
    if (open.literal !== "(") throw new Error(`found '${open.literal}' expected: '('`);
    const values: string[] = [];
    // Between commas and parentheses there is a word or nothing, which is the empty value.
    for (;;) {
      const token = this.#peek();
      if (token.kind === "word") {
        values.push(token.literal);
        this.#at += 1;
      } else if (token.literal === "," || token.literal === ")") {
        values.push("");
      } else {
        const expected = values.length === 0 ? "',', ')' or identifier" : "',', or identifier";
        throw new Error(`found '${token.literal}', expected: ${expected}`);
      }
      const next = this.#take();
      if (next.literal === ")") return values;
      if (next.literal !== ",") throw new Error(`found '${next.literal}', expected: ',' or ')'`);
    }
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }
}

function startsRequirement(token: Token): boolean {
  return token.kind === "word" || token.literal === "!";
}
