import assert from "node:assert/strict";
import { test } from "node:test";
import {
  escapeFieldValue,
  formatLabelSelector,
  formatRequirements,
  labelMatcher,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from "@dhow/kube";
import * as fc from "fast-check";

const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

// What a 1.36 API server answers to `?labelSelector=`.
const refused: [string, string][] = [
  ["a=b=c", "found '=', expected: ',' or 'end of string'"],
  ["a in", "unable to parse requirement: found '' expected: '('"],
  ["a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
  ["a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["=a", "found '=', expected: !, identifier, or 'end of string'"],
  ["(a)", "found '(', expected: !, identifier, or 'end of string'"],
  ["a,,b", "found ',', expected: identifier after ','"],
  ["a,", "found '', expected: identifier after ','"],
  ["-x", `unable to parse requirement: <nil>: Invalid value: "-x": ${namePart}`],
  [
    "a=/b",
    "unable to parse requirement: values[0][a]: Invalid value: \"/b\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  ],
  [
    "a>b",
    "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
  ],
  ["a!b", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"],
  ["!a=b", "found '=', expected: ',' or 'end of string'"],
  ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  [
    "x/y/z",
    "unable to parse requirement: <nil>: Invalid value: \"x/y/z\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  ],
  ["a<>b", "unable to parse requirement: found '>', expected: identifier"],
  ["a!==b", "unable to parse requirement: found '=', expected: identifier"],
  ["!!a", "unable to parse requirement: found '!', expected: identifier"],
  [
    "a".repeat(70),
    `unable to parse requirement: <nil>: Invalid value: "${"a".repeat(70)}": name part must be no more than 63 bytes`,
  ],
];

for (const [text, message] of refused) {
  test(`label selector ${text} is refused`, () => {
    assert.throws(() => parseLabelSelector(text), { message });
  });
}

const selected: [string, Record<string, string>, boolean][] = [
  ["", {}, true],
  ["a", { a: "" }, true],
  ["a", {}, false],
  ["!a", {}, true],
  ["! a", { a: "1" }, false],
  ["a=1", { a: "1" }, true],
  ["a==1", { a: "2" }, false],
  ["a!=1", {}, true],
  ["a!=1", { a: "1" }, false],
  ["a=", { a: "" }, true],
  ["a in (1,2)", { a: "2" }, true],
  ["a in (1,2)", {}, false],
  ["a in ()", { a: "" }, true],
  ["a in (,b,)", { a: "" }, true],
  ["a notin (1,2)", {}, true],
  ["a notin (1,2)", { a: "1" }, false],
  ["a>1", { a: "2" }, true],
  ["a>1", { a: "x" }, false],
  ["a<5", {}, false],
  ["in in (in)", { in: "in" }, true],
  [" a = 1 ,\n b ", { a: "1", b: "2" }, true],
  ["app.kubernetes.io/name=web", { "app.kubernetes.io/name": "web" }, true],
  ["constructor", {}, false],
];

for (const [text, labels, expected] of selected) {
  test(`label selector ${JSON.stringify(text)} ${expected ? "selects" : "does not select"} ${JSON.stringify(labels)}`, () => {
    assert.equal(labelMatcher(parseLabelSelector(text))(labels), expected);
  });
}

test("selector objects", () => {
  const selector = {
    matchLabels: { app: "web" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["b", "a"] },
      { key: "old", operator: "DoesNotExist" },
    ],
  };
  assert.ok(matchesLabels(selector, { app: "web", tier: "a" }));
  assert.ok(!matchesLabels(selector, { app: "web", tier: "a", old: "" }));
  assert.ok(!matchesLabels(selector, { tier: "a" }));
  assert.ok(matchesLabels({}, undefined));
  assert.ok(!matchesLabels(undefined, { app: "web" }));
  assert.equal(formatLabelSelector(selector), "app=web,!old,tier in (a,b)");
  assert.throws(() => matchesLabels({ matchExpressions: [{ key: "a", operator: "Is" }] }, {}), {
    message: '"Is" is not a valid label selector operator',
  });
  assert.throws(() => matchesLabels({ matchExpressions: [{ key: "a", operator: "In" }] }, {}), {
    message: "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
  });
});

test("what is written is read back", () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,4}$/).filter((text) => text !== "in" && text !== "notin");
  const requirement = fc.oneof(
    fc.tuple(word, fc.constantFrom("=", "==", "!="), word).map((parts) => parts.join("")),
    fc
      .tuple(word, fc.constantFrom("in", "notin"), fc.array(word, { minLength: 1 }))
      .map(([key, operator, values]) => `${key} ${operator} (${values.join(",")})`),
    word,
    word.map((key) => `!${key}`),
  );
  fc.assert(
    fc.property(fc.array(requirement), (requirements) => {
      const parsed = parseLabelSelector(requirements.join(","));
      assert.deepEqual(parseLabelSelector(formatRequirements(parsed)), parsed);
    }),
  );
});

const refusedFields: [string, string][] = [
  ["a", "invalid selector: 'a'; can't understand 'a'"],
  ["metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b"],
  ["metadata.name=a=b", "invalid field selector: unescaped character in value: 61"],
  ["metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"],
];

for (const [text, message] of refusedFields) {
  test(`field selector ${text} is refused`, () => {
    assert.throws(() => parseFieldSelector(text), { message });
  });
}

test("field selectors", () => {
  assert.deepEqual(parseFieldSelector(",a=1,b!=2,,c==,"), [
    { field: "a", operator: "=", value: "1" },
    { field: "b", operator: "!=", value: "2" },
    { field: "c", operator: "=", value: "" },
  ]);
  const fields: Record<string, string> = { a: "1", b: "3" };
  const valueOf = (field: string) => fields[field] ?? "";
  assert.ok(matchesFields(parseFieldSelector("a=1,b!=2,c="), valueOf));
  assert.ok(!matchesFields(parseFieldSelector("a=1,b!=3"), valueOf));
});

test("an escaped value stands for itself", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      assert.deepEqual(parseFieldSelector(`a=${escapeFieldValue(value)}`), [{ field: "a", operator: "=", value }]);
    }),
  );
});
