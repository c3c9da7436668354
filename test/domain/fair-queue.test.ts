import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createFairQueue } from "../../src/domain/password/fair-queue.ts";

const key = fc.constantFrom("a", "b", "c", "d");
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("add" as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), nth: fc.nat(20) }) },
);

interface Entry {
  readonly key: string;
  readonly index: number;
}

test("whatever happens, nothing is lost, and each key's own come in their order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = createFairQueue<Entry>();
      const waiting: Entry[] = [];
      for (const [index, one] of steps.entries()) {
        if (one.kind === "add") {
          const entry = { key: one.key, index };
          queue.add(one.key, entry);
          waiting.push(entry);
        } else if (one.kind === "remove") {
          const entry = waiting[one.nth];
          if (entry === undefined) continue;
          queue.remove(entry.key, entry);
          waiting.splice(one.nth, 1);
        } else {
          const taken = queue.takeNext();
          expect(taken).toBe(waiting.find((entry) => entry.key === taken?.key));
          if (taken === undefined) continue;
          waiting.splice(waiting.indexOf(taken), 1);
        }
        expect(queue.size).toBe(waiting.length);
        expect(queue.keyCount).toBe(new Set(waiting.map((entry) => entry.key)).size);
      }
      const rest = Array.from({ length: waiting.length }, () => queue.takeNext());
      expect(new Set(rest)).toEqual(new Set(waiting));
      expect(queue.takeNext()).toBeUndefined();
    }),
  );
});

test("while keys wait, none has a second turn before each has had one", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }), (counts) => {
      const queue = createFairQueue<string>();
      for (const [index, count] of counts.entries()) {
        for (let nth = 0; nth < count; nth += 1) queue.add(`key-${index}`, `key-${index}/${nth}`);
      }
      const total = counts.reduce((sum, count) => sum + count, 0);
      const order = Array.from({ length: total }, () => queue.takeNext() ?? "");
      const rounds = Math.max(...counts);
      const expected = Array.from({ length: rounds }, (_, nth) =>
        counts.flatMap((count, index) => (count > nth ? [`key-${index}/${nth}`] : [])),
      );
      expect(order).toEqual(expected.flat());
    }),
  );
});
