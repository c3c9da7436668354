import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import { file_countersign_v1_options } from "../../src/gen/countersign/v1/options_pb.ts";

/** 2^28 and the first 28 bits of the SHA-256 of the option's full name: see options.proto. */
function numberOf(name: string): number {
  return 2 ** 28 + createHash("sha256").update(name).digest().readUInt32BE() / 16;
}

test("the number of each option follows from its name, so that it collides with nobody else's", () => {
  const extensions = file_countersign_v1_options.extensions;
  expect(extensions.length).toBeGreaterThan(9);
  for (const { typeName, number } of extensions) {
    expect([typeName, number]).toEqual([typeName, Math.floor(numberOf(typeName))]);
  }
});
