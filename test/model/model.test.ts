import { describe, expect, test } from "@jest/globals";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { plantedFaults, rules } from "./rules.ts";
import { runModel } from "./run-model.ts";
import { walk } from "./walk.ts";

describe("the model of the rotations of a session", () => {
  test(
    "holds every property in every history, and finds every planted fault",
    async () => {
      const depth = sizeOf(6, 9);
      const report = await runModel(["--depth", String(depth)]);
      expect(report.violation).toBeNull();
      expect(report.states).toBeGreaterThan(10_000);
      expect(report.faults).toHaveLength(plantedFaults.length);
      for (const { name, violation, trace } of report.faults) {
        expect({ name, isFound: violation !== null && trace.length > 0 }).toEqual({ name, isFound: true });
      }
      const { states, transitions, seconds } = report;
      printFigures("the model", { depth, states, transitions, seconds: seconds.toFixed(1) });
    },
    longTimeoutMs,
  );

  test(
    "holds every property in long histories by chance",
    () => {
      const histories = sizeOf(2000, 200_000);
      for (let seed = 1; seed <= histories; seed += 1) {
        for (const { taken, step } of walk(seed, 40, rules)) {
          expect([seed, step.name, taken.violation]).toEqual([seed, step.name, null]);
        }
      }
    },
    longTimeoutMs,
  );
});
