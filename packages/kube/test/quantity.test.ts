import assert from "node:assert/strict";
import { test } from "node:test";
import { Quantity, scaledValue } from "@dhow/kube";
import * as fc from "fast-check";
import { realNamespace, skip } from "./real-cluster.ts";

// Left: what a manifest says; right: what a 1.36 API server stores and shows.
const canonical: [string | number, string][] = [
  ["0", "0"],
  ["0Ki", "0"],
  ["00", "0"],
  ["1", "1"],
  [1, "1"],
  [0.5, "500m"],
  ["100m", "100m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["0.1", "100m"],
  ["1.5", "1500m"],
  ["0.0001", "100u"],
  ["1u", "1u"],
  ["1n", "1n"],
  ["0.1n", "1n"],
  ["1.0000000001", "1000000001n"],
  ["100000", "100k"],
  ["1234567", "1234567"],
  ["1000k", "1M"],
  ["12E", "12E"],
  ["1e3", "1e3"],
  ["1E3", "1E3"],
  ["+05", "+05"],
  ["1.500", "1.500"],
  ["0.500", "500m"],
  ["1.50", "1500m"],
  ["+7Ki", "+7Ki"],
  ["+8Ki", "8Ki"],
  ["2.000", "2"],
  ["1.5e3", "1500"],
  ["1000e3", "1e6"],
  ["12e-1", "1200e-3"],
  ["1Ki", "1Ki"],
  ["1024", "1024"],
  ["1024Ki", "1Mi"],
  ["1000Ki", "1000Ki"],
  ["1.5Gi", "1536Mi"],
  ["0.5Ki", "512"],
  ["1.1Ki", "1126400m"],
  ["128974848", "128974848"],
  ["129M", "129M"],
  ["123Mi", "123Mi"],
  ["0.5Mi", "512Ki"],
  [".5", "500m"],
  ["5.", "5."],
  ["+5", "+5"],
  ["100Ei", "9223372036854775807"],
];

for (const [text, expected] of canonical) {
  test(`quantity ${text} is written ${expected}`, () => {
    assert.equal(Quantity.parse(text).toString(), expected);
  });
}

test("a real API server writes quantities so", { skip }, async () => {
  await using real = await realNamespace();
  const { client, namespace } = real;
  const volumes = canonical.map(([sizeLimit], at) => ({ name: `v${at}`, emptyDir: { sizeLimit } }));
  const spec = { containers: [{ name: "a", image: "a" }], volumes };
  const template = { apiVersion: "v1", kind: "PodTemplate", metadata: { name: "q", namespace }, template: { spec } };
  const stored = await client.create(template, { dryRun: "All" });
  assert.deepEqual(
    stored.template.spec.volumes.map((volume, at) => [canonical[at]?.[0], volume.emptyDir.sizeLimit]),
    canonical,
  );
});

const refused: [string, RegExp][] = [
  ["", /must match the regular expression/],
  ["x", /must match the regular expression/],
  ["-", /must match the regular expression/],
  ["1.2.3", /must match the regular expression/],
  ["1 Ki", /must match the regular expression/],
  ["1ki", /unable to parse quantity's suffix/],
  ["1mi", /unable to parse quantity's suffix/],
  ["1K", /unable to parse quantity's suffix/],
];

for (const [text, message] of refused) {
  test(`quantity ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => Quantity.parse(text), message);
  });
}

test("the canonical form means the same and is its own canonical form", () => {
  const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-3");
  const number = fc
    .tuple(fc.nat(999_999), fc.option(fc.nat(999)))
    .map(([whole, part]) => (part === null ? `${whole}` : `${whole}.${part}`));
  fc.assert(
    fc.property(fc.constantFrom("", "-"), number, suffix, (sign, digits, letters) => {
      const quantity = Quantity.parse(sign + digits + letters);
      const again = Quantity.parse(quantity.toString());
      assert.equal(again.compare(quantity), 0);
      assert.equal(again.toString(), quantity.toString());
    }),
  );
});

test("arithmetic is exact", () => {
  const milli = fc.integer({ min: -1_000_000, max: 1_000_000 });
  fc.assert(
    fc.property(milli, milli, (a, b) => {
      const sum = Quantity.parse(`${a}m`).add(Quantity.parse(`${b}m`));
      assert.equal(sum.milliValue(), a + b);
      assert.equal(sum.subtract(Quantity.parse(`${b}m`)).milliValue(), a);
      assert.equal(Math.sign(Quantity.parse(`${a}m`).compare(Quantity.parse(`${b}m`))), Math.sign(a - b));
    }),
  );
  assert.equal(Quantity.parse("0.1").add(Quantity.parse("0.2")).toString(), "300m");
  assert.equal(Quantity.zero.add(Quantity.parse("64Mi")).add(Quantity.parse("64Mi")).toString(), "128Mi");
  assert.equal(Quantity.parse("64Mi").multiply(16).toString(), "1Gi");
  assert.equal(Quantity.ofBytes(64 * 1024 * 1024).toString(), "64Mi");
  assert.equal(Quantity.ofMilli(250).toString(), "250m");
});

test("values round away from zero", () => {
  assert.equal(Quantity.parse("1.1").value(), 2);
  assert.equal(Quantity.parse("-1.1").value(), -2);
  assert.equal(Quantity.parse("1u").milliValue(), 1);
  assert.equal(Quantity.parse("1Gi").value(), 1024 ** 3);
});

test("percentages of a total", () => {
  assert.equal(scaledValue("25%", 10, "up"), 3);
  assert.equal(scaledValue("25%", 10, "down"), 2);
  assert.equal(scaledValue(4, 10, "down"), 4);
  assert.throws(() => scaledValue("4", 10, "up"), /string is not a percentage/);
  assert.throws(() => scaledValue("x%", 10, "up"), {
    message: 'invalid value for IntOrString: invalid value "x%": strconv.Atoi: parsing "x": invalid syntax',
  });
});
