import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createFairQueue, type FairQueue } from "../../src/domain/password/queue/fair-queue.ts";

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
      let waiting: Entry[] = [];
      for (const [index, one] of steps.entries()) {
        const gone = apply(queue, waiting, one);
        const firstOfKey = waiting.find((entry) => entry.key === gone?.key);
        expect(gone).toBe(one.kind === "take" ? firstOfKey : gone);
        waiting = waiting.filter((entry) => entry !== gone);
        if (one.kind === "add") {
          const entry = { key: one.key, index };
          queue.add(one.key, entry);
          waiting.push(entry);
        }
        expect([queue.size, queue.keyCount]).toEqual([
          waiting.length,
          new Set(waiting.map((entry) => entry.key)).size,
        ]);
      }
      const rest = waiting.map(() => queue.takeNext());
      expect(new Set(rest)).toEqual(new Set(waiting));
      expect(queue.takeNext()).toBeUndefined();
    }),
  );
});

/** Takes out what a step takes out. */
function apply(
  queue: FairQueue<Entry>,
  waiting: readonly Entry[],
  one: { readonly kind: "add" | "take" | "remove"; readonly nth?: number },
): Entry | undefined {
  if (one.kind === "take") return queue.takeNext();
  const entry = one.kind === "remove" ? waiting[one.nth ?? 0] : undefined;
  if (entry !== undefined) queue.remove(entry.key, entry);
  return entry;
}

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
