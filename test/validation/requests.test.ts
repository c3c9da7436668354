import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { compileFinder } from "../../src/validation/finder.ts";
import { anyMessage } from "../_harness/any-message.ts";
import { contractServices } from "../_harness/contract-services.ts";
import { interpret } from "./interpret.ts";

describe("every request of the service", () => {
  const lengths = [0, 1, 64, 65, 128, 129, 254, 255, 256, 1024, 1025, 4096, 4097, 8192, 8193];
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
    fc
      .tuple(fc.constantFrom("a", "\u00e9", "\u{1f426}", "\u0001"), fc.constantFrom(...lengths))
      .map(([unit, length]) => unit.repeat(length)),
  );

  test("has rules that are compiled, and find what protovalidate finds", async () => {
    const requests = (await contractServices()).flatMap(({ methods }) => methods.map(({ input }) => input));
    expect(requests.length).toBeGreaterThan(10);
    let refused = 0;
    for (const desc of requests) {
      const find = compileFinder(desc);
      if (find === null) throw new Error(`${desc.typeName} has a rule that has no plain check`);
      fc.assert(
        fc.property(anyMessage(desc, texts), (message) => {
          const violations = find(message);
          refused += violations.length;
          expect(violations).toEqual(interpret(desc, message));
        }),
        { numRuns: 25 },
      );
    }
    // A test of rules that nothing breaks would show nothing.
    expect(refused).toBeGreaterThan(60);
  }, 60_000);
});
