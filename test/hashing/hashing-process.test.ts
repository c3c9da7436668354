import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type HashingProcess, startHashingProcess } from "../../src/hashing/hashing-process.ts";
import { knownAnswers } from "../../src/hashing/known-answers.ts";
import { eventually } from "../_harness/eventually.ts";

const known = knownAnswers[0];
if (known === undefined) throw new Error("there are no known answers");
/** Some seconds of work, to be interrupted. */
const long = { ...known.work, memoryKib: 65_536, iterations: 32 };

// sched(7): SCHED_IDLE and SCHED_OTHER.
const [idlePolicy, usualPolicy] = ["5", "0"];

let hashing: HashingProcess;
let events: string[];

beforeEach(async () => {
  events = [];
  hashing = await startHashingProcess(
    { threads: 2, niceness: 19 },
    {
      onLost: (how) => events.push(`lost: ${how}`),
      onRestarted: () => events.push("restarted"),
    },
  );
});

afterEach(() => hashing.stop());

/** The nice values and the scheduling policies of a process' threads of a name. */
async function readScheduling(pid: number, name: string): Promise<{ niceness: string; policy: string }[]> {
  const found: { niceness: string; policy: string }[] = [];
  for (const id of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${id}/stat`, "utf8");
    // proc(5) counts the nice value as the 19th field, the policy as the 41st; the name, in parentheses, is the second.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (stat.includes(`(${name})`)) found.push({ niceness: fields[16] ?? "", policy: fields[38] ?? "" });
  }
  return found;
}

describe("the process that hashes", () => {
  test("computes what it is asked for", async () => {
    const hash = await hashing.run(known.work);
    expect(Buffer.from(hash).toString("hex")).toBe(known.hash);
    const mangled = hashing.run({ ...known.work, memoryKib: 1 });
    await expect(mangled).rejects.toThrow("a password hash could not be computed");
  });

  test("is started again when it is killed: what was under way is unavailable, what comes next waits", async () => {
    const before = hashing.pid;
    const lost = hashing.run(long).catch((error: unknown) => error);
    process.kill(before, "SIGKILL");
    expect(await lost).toMatchObject({ reason: "unavailable", retryAfterMs: 1_000 });
    const hash = await hashing.run(known.work);
    expect(Buffer.from(hash).toString("hex")).toBe(known.hash);
    await eventually(() => events.length === 2);
    expect(events).toEqual(["lost: SIGKILL", "restarted"]);
    expect(hashing.pid).not.toBe(before);
  });

  test("goes over to another implementation, and loses no hash by it", async () => {
    const before = hashing.pid;
    const slow = hashing.run({ ...known.work, memoryKib: 65_536, iterations: 4 });
    const going = hashing.use("node:crypto");
    const meanwhile = hashing.run(known.work);
    expect(await slow).toHaveLength(32);
    expect(Buffer.from(await meanwhile).toString("hex")).toBe(known.hash);
    await going;
    expect(() => process.kill(before, 0)).toThrow("ESRCH");
    expect(hashing.implementation).toBe("node:crypto");
    expect(Buffer.from(await hashing.run(known.work)).toString("hex")).toBe(known.hash);
    expect(events).toEqual([]);
    await expect(hashing.use("none of them")).rejects.toThrow("did not start");
    expect(hashing.implementation).toBe("node:crypto");
    process.kill(hashing.pid, "SIGKILL");
    await eventually(() => events.length === 2);
    expect(hashing.implementation).toBe("node:crypto");
  });

  test("is not ended by the signals of a terminal, and ends when it is told to", async () => {
    const { pid } = hashing;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(pid, signal);
    await hashing.run(known.work);
    expect(hashing.pid).toBe(pid);
    await hashing.stop();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(events).toEqual([]);
  });

  test("has nothing of our environment, and steps back behind everything else", async () => {
    const environment = (await readFile(`/proc/${hashing.pid}/environ`, "utf8")).split("\0");
    const names = environment
      .map((line) => line.split("=")[0])
      .toSorted((one = "", other = "") => one.localeCompare(other));
    expect(names.filter((name) => name !== "" && !name?.startsWith("NODE_CHANNEL"))).toEqual([
      "GLIBC_TUNABLES",
      "UV_THREADPOOL_SIZE",
    ]);
    expect(hashing.scheduling).toBe("idle");
    const idle = { niceness: "19", policy: idlePolicy };
    expect(await readScheduling(hashing.pid, "libuv-worker")).toEqual([idle, idle]);
  });

  test("steps back as far as it is told to", async () => {
    const nothing = { onLost: () => undefined, onRestarted: () => undefined };
    const other = await startHashingProcess({ threads: 1, niceness: 5 }, nothing);
    try {
      expect(other.scheduling).toBe("nice 5");
      expect(await readScheduling(other.pid, "libuv-worker")).toEqual([
        { niceness: "5", policy: usualPolicy },
      ]);
    } finally {
      await other.stop();
    }
  });
});
