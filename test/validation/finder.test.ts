import { create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import { FieldOptionsSchema, FileDescriptorSetSchema, OneofOptionsSchema } from "@bufbuild/protobuf/wkt";
import {
  field as fieldRules,
  FieldRulesSchema,
  oneof as oneofRules,
  OneofRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { compileFinder, createFinder } from "../../src/validation/finder.ts";
import { anyMessage } from "../_harness/any-message.ts";
import { interpret } from "./interpret.ts";
import { messageWith, OPTIONAL, REPEATED, string, text, type } from "./message-with.ts";

describe("a message within a message", () => {
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldRules, create(FieldRulesSchema, text({ maxLen: 2n })));
  const needed = create(OneofOptionsSchema);
  setExtension(needed, oneofRules, create(OneofRulesSchema, { required: true }));
  const node = { type: type.MESSAGE, typeName: ".test.Node" };
  const file = {
    name: "node.proto",
    package: "test",
    syntax: "proto3",
    messageType: [
      {
        name: "Node",
        field: [
          { name: "name", number: 1, ...string, label: OPTIONAL, options },
          { name: "next", number: 2, ...node, label: OPTIONAL },
          { name: "children", number: 3, ...node, label: REPEATED },
          {
            name: "by_key",
            number: 4,
            type: type.MESSAGE,
            typeName: ".test.Node.ByKeyEntry",
            label: REPEATED,
          },
          { name: "id", number: 5, ...string, label: OPTIONAL, oneofIndex: 0, options },
          { name: "number", number: 6, type: type.INT32, label: OPTIONAL, oneofIndex: 0 },
        ],
        nestedType: [
          {
            name: "ByKeyEntry",
            field: [
              { name: "key", number: 1, type: type.INT32, label: OPTIONAL },
              { name: "value", number: 2, ...node, label: OPTIONAL },
            ],
            options: { mapEntry: true },
          },
        ],
        oneofDecl: [{ name: "choice", options: needed }],
      },
    ],
  };
  const desc = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getMessage("test.Node");
  if (desc === undefined) throw new Error("the message is not in its file");

  test("is checked under its path, though its type holds itself", () => {
    const find = compileFinder(desc);
    if (find === null) throw new Error("it has no plain check");
    let refused = 0;
    fc.assert(
      fc.property(anyMessage(desc, fc.constantFrom("", "a", "abc")), (message) => {
        const violations = find(message);
        refused += violations.length;
        expect(violations).toEqual(interpret(desc, message));
      }),
      { numRuns: 100 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});

test("a message with a rule that has no plain check is read by protovalidate, and others are not", async () => {
  const plain = messageWith(string, text({ minLen: 2n }));
  const other = messageWith(string, text({ wellKnown: { case: "uri", value: true } }));
  const interpreted = createFinder(other);
  expect(createFinder(plain).kind).toBe("compiled");
  expect(interpreted.kind).toBe("interpreted");
  expect(await interpreted.find(create(other, { value: "a b" }))).toEqual([
    { field: "value", ruleId: "string.uri", message: "must be a valid URI" },
  ]);
  expect(await interpreted.find(create(other, { value: "a:b" }))).toEqual([]);
});
