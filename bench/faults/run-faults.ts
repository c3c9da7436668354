import type { Fault } from "./fault.ts";
import { endMsMax } from "./instances.ts";
import { observe, type Row } from "./observe.ts";
import { type Stage, type StageOptions, startStage } from "./stage.ts";

/** What came of a run. */
export interface Run {
  readonly rows: readonly Row[];
  /** Faults that could not be made, or instances that did not end. */
  readonly failures: readonly string[];
}

/** Makes one fault after the other, in their order; those that need the same stage share one while they follow. */
export async function runFaults(
  faults: readonly Fault[],
  faultMs: number,
  tell: (line: string) => void,
): Promise<Run> {
  const rows: Row[] = [];
  const failures: string[] = [];
  const beganAt = performance.now();
  const fail = (line: string): void => {
    failures.push(line);
    tell(line);
  };
  for (const group of inGroups(faults)) {
    let stage: Stage | null = null;
    let name = group.faults[0]?.name ?? "";
    try {
      stage = await startStage(group.stage);
      for (const fault of group.faults) {
        ({ name } = fault);
        const row = await observe(fault, stage, faultMs);
        rows.push(row);
        const at = Math.round((performance.now() - beganAt) / 1000);
        tell(`${at} s ${name}: ${row.violations.length === 0 ? "as it must be" : row.violations.join("; ")}`);
      }
    } catch (error) {
      fail(`${name}: could not be made: ${String(error)}`);
    }
    const endedMs = (await stage?.stop()) ?? 0;
    if (endedMs > endMsMax) fail(`${name}: an instance did not end within ${endMsMax} ms`);
  }
  const order = faults.map((fault) => fault.name);
  return {
    rows: rows.toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name)),
    failures,
  };
}

interface Group {
  readonly stage: StageOptions;
  readonly faults: Fault[];
}

/** Those that need the same, together; one that spends its stage alone. */
function inGroups(faults: readonly Fault[]): Group[] {
  const groups: Group[] = [];
  for (const fault of faults) {
    const key = JSON.stringify(fault.stage);
    const group = groups.find((each) => JSON.stringify(each.stage) === key);
    if (group === undefined || fault.spendsStage === true) {
      groups.push({ stage: fault.stage, faults: [fault] });
    } else group.faults.push(fault);
  }
  return groups;
}
