import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { openRealStores, type RealSession, type RealStores, type StoredSession } from "./real-session.ts";
import { rules } from "./rules.ts";
import { runModel } from "./run-model.ts";
import type { State } from "./state.ts";
import { findStep } from "./steps.ts";
import { follow, type Walked, walk } from "./walk.ts";

let stores: RealStores;
beforeAll(async () => {
  stores = await openRealStores();
}, longTimeoutMs);
afterAll(() => stores.close());

/** Does to the real stores what the model did; answers what the model calls the outcome. */
async function act(session: RealSession, { step, before, taken }: Walked): Promise<unknown> {
  const { act: what } = step;
  switch (what.kind) {
    case "show": {
      if (taken.refreshed === null) throw new Error("Nothing was shown.");
      const outcome = await session.refresh(taken.refreshed.presented, taken.refreshed.route);
      if (what.end === "killed") await session.kill();
      return outcome;
    }
    case "wait":
      if (what.away) await session.wait(what.ms, true);
      await session.save();
      if (before.marked) await session.sweep();
      if (!what.away) await session.wait(what.ms, false);
      return null;
    case "tell":
      return session.save();
    case "kill":
      return session.kill();
    case "forget":
      return session.forgetRecord();
    case "take snapshot":
      return session.takeSnapshot();
    case "restore snapshot":
      return session.restoreSnapshot();
    case "steal":
      return null;
  }
}

function stored({ row, record }: State): StoredSession {
  const { lateFrom, ended } = row;
  return { generation: row.rotation.generation, lateFrom, ended, inRedis: record?.generation ?? null };
}

/** Every step leads to the same outcome, and leaves the same in both stores. */
async function expectSame(history: readonly Walked[]): Promise<void> {
  const session = await stores.begin();
  const told: string[] = [];
  for (const walked of history) {
    const { step, taken } = walked;
    told.push(step.name);
    const outcome = (await act(session, walked)) ?? null;
    const expected = { told, outcome: taken.refreshed?.outcome ?? null, stored: stored(taken.state) };
    expect({ told, outcome, stored: await session.read() }).toEqual(expected);
  }
}

describe("the real stores do what the model does", () => {
  test(
    "in each history that finds a planted fault",
    async () => {
      const { faults } = await runModel(["--depth", "2"]);
      for (const { trace } of faults) {
        const history = follow(
          trace.map((name) => findStep(name)),
          rules,
        );
        expect(history).toHaveLength(trace.length);
        await expectSame(history);
      }
    },
    longTimeoutMs,
  );

  test(
    "in histories by chance",
    async () => {
      const histories = sizeOf(40, 2000);
      const decisions: Record<string, number> = {};
      for (let seed = 1; seed <= histories; seed += 1) {
        const history = walk(seed, 25, rules);
        await expectSame(history);
        for (const { taken } of history) {
          const name = taken.refreshed?.outcome.decision ?? "no refresh";
          decisions[name] = (decisions[name] ?? 0) + 1;
        }
      }
      for (const decision of ["rotate", "replay", "late", "reuse", "catch_up", "gone"]) {
        expect(decisions[decision] ?? 0).toBeGreaterThan(0);
      }
      printFigures("the model beside real stores", { histories, ...decisions });
    },
    longTimeoutMs,
  );
});
