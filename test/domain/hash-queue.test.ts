import { describe, expect, test } from "@jest/globals";
import type { Events } from "../../src/domain/events.ts";
import type { Admission, Lane } from "../../src/domain/password/queue/admission.ts";
import { createHashQueue, type HashQueue } from "../../src/domain/password/queue/hash-queue.ts";

import { listenTo } from "./listen-to.ts";

const waitMaxMs = 60_000;

/** A task that runs until it is told to end. */
function heldTask() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { task: () => promise, finish: resolve };
}

function from(key: string, lane: Lane = "usual"): Admission {
  return { key, lane };
}

/** A queue whose one place is taken, and what has been started since, in order. */
function busyQueue(queueMax: number, events?: Events) {
  const queue = createHashQueue({ concurrency: 1, queueMax, waitMaxMs, ...(events && { events }) });
  const held = heldTask();
  const running = queue.run(held.task, from("first"));
  const started: string[] = [];
  const refused: string[] = [];
  const settled: Promise<void>[] = [running];
  const ask = (name: string, admission: Admission): void => {
    const task = () => {
      started.push(name);
      return Promise.resolve();
    };
    settled.push(queue.run(task, admission).catch(() => void refused.push(name)));
  };
  const finish = async (): Promise<void> => {
    held.finish();
    await Promise.all(settled);
  };
  return { queue, ask, finish, started, refused };
}

/** So that the queue has a rate to reckon with: its only place is taken for at least so long. */
async function teachRate(queue: HashQueue, ms: number): Promise<void> {
  // sleep: the place is taken for so long.
  await queue.run(() => new Promise((resolve) => setTimeout(resolve, ms)), from("teacher"));
}

describe("the places", () => {
  test("are no more at once than there may be", async () => {
    const queue = createHashQueue({ concurrency: 2, queueMax: 10, waitMaxMs });
    let running = 0;
    let most = 0;
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map((index) => queue.run(work, from(`caller-${index}`))));
    expect(most).toBe(2);
    expect(queue.countRunning()).toBe(0);
  });

  test("are given back when a task fails", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 0, waitMaxMs });
    await expect(queue.run(() => Promise.reject(new Error("broken")), from("a"))).rejects.toThrow("broken");
    expect(await queue.run(() => Promise.resolve(1), from("a"))).toBe(1);
  });

  test("are taken in turn by callers, however many of one's wait", async () => {
    const { ask, finish, started } = busyQueue(40);
    for (const name of ["flood-1", "flood-2", "flood-3", "flood-4"]) ask(name, from("flood"));
    ask("one", from("one"));
    ask("other", from("other"));
    await finish();
    expect(started).toEqual(["flood-1", "one", "other", "flood-2", "flood-3", "flood-4"]);
  });

  test("go to known devices every other time", async () => {
    const { ask, finish, started } = busyQueue(40);
    for (const name of ["usual-1", "usual-2", "usual-3"]) ask(name, from(name));
    for (const name of ["known-1", "known-2"]) ask(name, from(name, "known_device"));
    await finish();
    expect(started).toEqual(["known-1", "usual-1", "known-2", "usual-2", "usual-3"]);
  });
});

describe("the queue refuses", () => {
  test("as overloaded when it is full, and has a quarter for known devices even then", async () => {
    const { queue, ask, finish, started } = busyQueue(8);
    for (let index = 0; index < 6; index += 1) ask(`usual-${index}`, from(`usual-${index}`));
    expect(() => queue.requireRoom(from("late"))).toThrow(expect.objectContaining({ reason: "overloaded" }));
    ask("known-0", from("known-0", "known_device"));
    ask("known-1", from("known-1", "known_device"));
    expect(() => queue.requireRoom(from("late", "known_device"))).toThrow("Too many logins");
    await finish();
    expect(started).toHaveLength(8);
  });

  test("a caller who has a quarter of it already, while others get in", async () => {
    const { queue, ask, finish } = busyQueue(8);
    ask("flood-1", from("flood"));
    ask("flood-2", from("flood"));
    expect(() => queue.requireRoom(from("flood"))).toThrow("Too many logins");
    expect(() => queue.requireRoom(from("one"))).not.toThrow();
    await finish();
  });

  test("the last of who takes most, when it is full and somebody comes who has less", async () => {
    const { ask, finish, started, refused } = busyQueue(8);
    for (const key of ["a", "b", "c"]) {
      ask(`${key}-1`, from(key));
      ask(`${key}-2`, from(key));
    }
    ask("one", from("one"));
    await finish();
    expect(refused).toEqual(["a-2"]);
    expect(started).toEqual(["a-1", "b-1", "c-1", "one", "b-2", "c-2"]);
  });

  test("at once who could not be served before the wait is too long or the caller's deadline has passed", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 10, waitMaxMs: 1_000 });
    await teachRate(queue, 60);
    const held = heldTask();
    const running = queue.run(held.task, from("first"));
    const soon = { ...from("hurried"), expiresAt: performance.now() + 30 };
    expect(() => queue.requireRoom(soon)).toThrow(expect.objectContaining({ reason: "overloaded" }));
    const later = { ...from("patient"), expiresAt: performance.now() + 600_000 };
    expect(() => queue.requireRoom(later)).not.toThrow();
    held.finish();
    await running;
  });

  test("who has waited too long all the same", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 10, waitMaxMs: 20 });
    const held = heldTask();
    const running = queue.run(held.task, from("first"));
    await expect(queue.run(() => Promise.resolve(), from("next"))).rejects.toMatchObject({
      reason: "overloaded",
    });
    held.finish();
    await running;
  });

  test("with a time to come back in that is another for each, one hash apart", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 0, waitMaxMs });
    await teachRate(queue, 50);
    const held = heldTask();
    const running = queue.run(held.task, from("first"));
    const returns = Array.from({ length: 3 }, (_, index) => {
      try {
        queue.requireRoom(from(`late-${index}`));
      } catch (error) {
        return (error as { retryAfterMs: number }).retryAfterMs;
      }
      return Number.NaN;
    });
    const [first = 0, second = 0, third = 0] = returns;
    expect(first).toBeGreaterThanOrEqual(45);
    expect(second - first).toBeGreaterThanOrEqual(40);
    expect(third - second).toBeGreaterThanOrEqual(40);
    held.finish();
    await running;
  });
});

describe("a caller who has gone", () => {
  test("leaves the queue at once, and gives the place to the next", async () => {
    const { queue, ask, finish, started } = busyQueue(1);
    const leaving = new AbortController();
    const left = queue.run(() => Promise.resolve("never"), { ...from("a"), signal: leaving.signal });
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    expect(queue.countWaiting("usual")).toBe(0);
    ask("next", from("b"));
    await finish();
    expect(started).toEqual(["next"]);
  });

  test("is not begun with", async () => {
    const queue = createHashQueue({ concurrency: 1, queueMax: 0, waitMaxMs });
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(queue.run(() => Promise.resolve(), { ...from("a"), signal })).rejects.toThrow("gone");
    expect(await queue.run(() => Promise.resolve(1), from("a"))).toBe(1);
  });
});

test("everything that happens is emitted", async () => {
  const told: string[] = [];
  const { ask, queue, finish } = busyQueue(
    4,
    listenTo({
      "hash.refused": ({ lane, cause }) => told.push(`refused ${lane} ${cause}`),
      "hash.started": ({ lane }) => told.push(`started ${lane}`),
      "hash.ended": () => told.push("ended"),
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  const leaving = new AbortController();
  ask("leaves", { ...from("a"), signal: leaving.signal });
  leaving.abort(new Error("gone"));
  ask("crowds", from("b"));
  expect(() => queue.requireRoom(from("b"))).toThrow("Too many logins");
  ask("known", from("c", "known_device"));
  await finish();
  expect(told).toEqual([
    "started usual",
    "refused usual cancelled",
    "refused usual share",
    "ended",
    "started known_device",
    "ended",
    "started usual",
    "ended",
  ]);
});
