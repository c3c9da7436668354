import type { Stage, StageOptions } from "./stage.ts";

/** Something that is taken away, or made ill, and given back. */
export interface Fault {
  /** By which the command line names it. */
  readonly name: string;
  /** As the table names it. */
  readonly title: string;
  readonly stage: StageOptions;
  /** Nothing is given back: what ails gets well by itself, or is replaced by what stood by. Times count from the fault. */
  readonly healsItself?: true;
  /** The stage is of no use afterwards. */
  readonly spendsStage?: true;
  /** Makes it happen; resolves, once it has, with what undoes it. */
  apply(stage: Stage): Promise<() => Promise<void>>;
}
