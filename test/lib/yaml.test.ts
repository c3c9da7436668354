import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import { writeYaml } from "../../src/lib/yaml.ts";

describe("YAML", () => {
  test.each<[JsonValue, string]>([
    [{ openapi: "3.1.0", name: "a b" }, 'openapi: "3.1.0"\nname: a b\n'],
    [{ a: { b: [1, true, null] } }, "a:\n  b:\n    - 1\n    - true\n    - null\n"],
    [[{ a: 1, b: 2 }, [3]], "- a: 1\n  b: 2\n- - 3\n"],
    [{ a: {}, b: [] }, "a: {}\nb: []\n"],
    [{ text: "one\n\ntwo" }, "text: |-\n  one\n\n  two\n"],
    [{ text: "one\n" }, 'text: "one\\n"\n'],
    [
      ["yes", "No", "null", "~", "-", "1", "E0", "e-5", "# no comment", "a: b"],
      '- "yes"\n- "No"\n- "null"\n- "~"\n- "-"\n- "1"\n- "E0"\n- "e-5"\n- "# no comment"\n- "a: b"\n',
    ],
    ["text", "text\n"],
  ])("of %j is block style", (value, yaml) => {
    expect(writeYaml(value)).toBe(yaml);
  });

  test.each(["1.1", "1.2"] as const)("is read again as the same value by a reader of YAML %s", (version) => {
    const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false, 0, -1, 1.5, 1e21),
        fc.string({ unit: "grapheme" }),
        fc
          .array(fc.constantFrom("a", " ", "\n", "\t", ":", "#", "-", "'", '"', "é", "\u2028"))
          .map((parts) => parts.join("")),
        fc.constantFrom(
          "on",
          "off",
          "y",
          "n",
          "NO",
          "0x1f",
          "1e3",
          "E0",
          ".inf",
          "2026-11-24",
          "<<",
          "=",
          "? a",
          "&a",
          "*a",
          "!a",
          "%a",
          "@a",
        ),
        fc.array(tie("json")),
        fc.dictionary(
          fc.string().filter((name) => name !== "__proto__"),
          tie("json"),
          { noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        expect(parse(writeYaml(value), { version })).toEqual(value);
      }),
    );
  });
});
