import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { createHashQueue } from "../../src/domain/password/hash-queue.ts";

/** A task that runs until it is told to end. */
function heldTask() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { task: () => promise, finish: resolve };
}

describe("the hash queue", () => {
  test("runs no more at once than it may, first come first served", async () => {
    const queue = createHashQueue({ concurrency: 2, queueMax: 10 });
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const work = (index: number) => async () => {
      started.push(index);
      running += 1;
      most = Math.max(most, running);
      await sleep(5);
      running -= 1;
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map((index) => queue.run(work(index))));
    expect(most).toBe(2);
    expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("refuses as overloaded, with a wait, when the queue is full", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 1 });
    await queue.run(() => sleep(20));
    const held = heldTask();
    const running = queue.run(held.task);
    const waiting = queue.run(() => Promise.resolve("done"));
    await expect(queue.run(() => Promise.resolve())).rejects.toMatchObject({
      reason: "overloaded",
      retryAfterMs: expect.any(Number),
    });
    held.finish();
    await running;
    expect(await waiting).toBe("done");
  });

  test("lets a caller who has gone leave at once, and gives the place to the next", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 1 });
    const held = heldTask();
    const running = queue.run(held.task);
    const leaving = new AbortController();
    const left = queue.run(() => Promise.resolve("never"), leaving.signal);
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    const next = queue.run(() => Promise.resolve("next"));
    held.finish();
    await running;
    expect(await next).toBe("next");
  });

  test("gives the place back when a task fails", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 0 });
    await expect(queue.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await queue.run(() => Promise.resolve(1))).toBe(1);
  });

  test("does not start for a caller who has gone already", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 0 });
    await expect(queue.run(() => Promise.resolve(), AbortSignal.abort(new Error("gone")))).rejects.toThrow(
      "gone",
    );
    expect(await queue.run(() => Promise.resolve(1))).toBe(1);
  });
});
