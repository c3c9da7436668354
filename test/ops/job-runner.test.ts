import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createJobRunner, type Job, type JobRunner } from "../../src/ops/job-runner.ts";
import { createLogger } from "../../src/ops/logger.ts";
import { eventually } from "../_harness/eventually.ts";

interface Line {
  readonly level: string;
  readonly job: string;
  readonly msg: string;
}

let lines: Line[];
let runs: { job: string; succeeded: boolean }[];
let runner: JobRunner;

beforeEach(() => {
  lines = [];
  runs = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { level, job: name, msg } = JSON.parse(chunk.toString()) as Line;
      lines.push({ level, job: name, msg });
      done();
    },
  });
  runner = createJobRunner(createLogger("info", false, destination), {
    onRun: (name, succeeded) => void runs.push({ job: name, succeeded }),
  });
});
afterEach(() => runner.stop());

const job = (name: string, run: Job["run"], rest: Partial<Job> = {}): Job => ({
  name,
  everyMs: 5,
  run,
  ...rest,
});

describe("a job", () => {
  test("is run again and again, and counted", async () => {
    await runner.start([job("a", () => Promise.resolve())]);
    await eventually(() => Promise.resolve(runs.length >= 3));
    expect(runs.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => ({ job: "a", succeeded: true })));
    expect(lines).toEqual([]);
  });

  test("that fails is run again, and disturbs no other; one line says so, and one that it is over", async () => {
    let fails = true;
    const flaky = () => (fails ? Promise.reject(new Error("away")) : Promise.resolve());
    await runner.start([job("flaky", flaky), job("steady", () => Promise.resolve())]);
    await eventually(() => Promise.resolve(runs.filter(({ succeeded }) => !succeeded).length >= 3));
    expect(runs.some(({ job: name, succeeded }) => name === "steady" && succeeded)).toBe(true);
    expect(lines).toEqual([{ level: "warn", job: "flaky", msg: expect.stringContaining("failed") }]);
    fails = false;
    await eventually(() => Promise.resolve(lines.length === 2));
    expect(lines[1]).toEqual({ level: "info", job: "flaky", msg: expect.stringContaining("again") });
  });

  test("that throws before it has begun is a failed run too", async () => {
    await runner.start([
      job(
        "rash",
        () => {
          throw new Error("at once");
        },
        { atStart: "awaited" },
      ),
    ]);
    expect(runs[0]).toEqual({ job: "rash", succeeded: false });
  });

  test("never overlaps itself", async () => {
    let [underWay, most, count] = [0, 0, 0];
    const slow = async (): Promise<void> => {
      underWay += 1;
      most = Math.max(most, underWay);
      // sleep: the job takes a while.
      await sleep(20);
      underWay -= 1;
      count += 1;
    };
    await runner.start([job("slow", slow, { everyMs: 1 })]);
    await eventually(() => Promise.resolve(count >= 3));
    expect(most).toBe(1);
  });

  test("holds the start up only where it says so", async () => {
    const order: string[] = [];
    const note = (name: string) => async (): Promise<void> => {
      // sleep: the job takes a while.
      await sleep(10);
      order.push(name);
    };
    await runner.start([
      job("awaited", note("awaited"), { everyMs: Infinity, atStart: "awaited" }),
      job("behind", note("behind"), { everyMs: Infinity, atStart: "behind" }),
      job("later", note("later"), { everyMs: 60_000 }),
    ]);
    expect(order).toEqual(["awaited"]);
    await eventually(() => Promise.resolve(order.length === 2));
    expect(order).toEqual(["awaited", "behind"]);
  });
});

test("the end waits for what is under way, and lets each job do what is left, the last one first", async () => {
  const order: string[] = [];
  const slow = async (): Promise<void> => {
    // sleep: the job takes a while.
    await sleep(30);
    order.push("ran");
  };
  const left = (name: string) => async (): Promise<void> => void order.push(`left of ${name}`);
  await runner.start([
    job("first", () => Promise.resolve(), { everyMs: 60_000, end: left("first") }),
    job("second", slow, { everyMs: Infinity, atStart: "behind", end: left("second") }),
  ]);
  await runner.stop();
  expect(order).toEqual(["ran", "left of second", "left of first"]);
  // sleep: nothing is to happen any more.
  await sleep(20);
  expect(runs.filter(({ job: name }) => name === "second")).toHaveLength(2);
});
