import type { HashFloor } from "./floors.ts";
import type { LoginStormFigures } from "./login-storm.ts";
import type { Figures, Rounds } from "./measure.ts";
import type { StartFigures } from "./start.ts";

/** Everything that a run has found. */
export interface Report {
  readonly machine: { readonly cores: number; readonly model: string; readonly node: string };
  readonly generators: string;
  readonly commit: string;
  readonly at: string;
  readonly rounds: Rounds;
  /** The part of the processors' time that others took before the run. */
  readonly busyBefore: number;
  readonly quiet: boolean;
  readonly hash: HashFloor;
  readonly start: StartFigures;
  readonly figures: readonly Figures[];
  readonly storms: readonly LoginStormFigures[];
  /** What each contender held in memory before the measured calls, after those that prepared them. MiB, by part. */
  readonly idleMib: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
