import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { createDeadlines } from "../../src/lib/deadlines.ts";

const lengthMs = 60;

test("calls each that nobody stops once, not before its time, and in the order in which they began", async () => {
  const deadlines = createDeadlines(lengthMs);
  const late: [string, number][] = [];
  const begin = (name: string) => {
    const begunAt = performance.now();
    return deadlines.start(() => late.push([name, performance.now() - begunAt]));
  };
  begin("first");
  // sleep: what begins now is later than the first.
  await sleep(lengthMs / 2);
  begin("second");
  const stopped = begin("stopped");
  begin("third");
  stopped.stop();
  stopped.stop();
  // sleep: all that is to end has ended, and what was stopped has not.
  await sleep(3 * lengthMs);
  expect(late.map(([name]) => name)).toEqual(["first", "second", "third"]);
  for (const [, afterMs] of late) expect(afterMs).toBeGreaterThanOrEqual(lengthMs - 1);
});

test("one that is begun while another ends gets its whole time", async () => {
  const deadlines = createDeadlines(lengthMs);
  const { promise, resolve } = Promise.withResolvers<number>();
  deadlines.start(() => {
    const begunAt = performance.now();
    deadlines.start(() => resolve(performance.now() - begunAt));
  });
  expect(await promise).toBeGreaterThanOrEqual(lengthMs - 1);
});

test("goes on after a time in which there was none", async () => {
  const deadlines = createDeadlines(lengthMs);
  deadlines.start(() => undefined).stop();
  // sleep: the time in which there is none.
  await sleep(2 * lengthMs);
  let late = 0;
  deadlines.start(() => {
    late += 1;
  });
  // sleep: it ends once, and not again.
  await sleep(2 * lengthMs);
  expect(late).toBe(1);
});
