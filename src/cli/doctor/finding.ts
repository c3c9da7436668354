import type { ExaminedConfig } from "../../config/config.ts";
import type { VariableName } from "../../config/variables.ts";

/** What a check has found. Nothing in it is secret, or part of an address that holds a secret. */
export interface Finding {
  readonly status: "ok" | "warn" | "fail";
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** One sentence, without the full stop. */
  readonly found: string;
  /** What to do about it; null where there is nothing to do. */
  readonly mend: string | null;
}

/** One thing that the doctor looks at. A check changes nothing. */
export interface Check {
  /** The name of its findings, for when it has none to tell. */
  readonly name: string;
  /** The variables without which it says nothing true. */
  readonly needs: readonly VariableName[];
  /** Whether others at the same time would spoil what it measures. */
  readonly runsAlone?: true;
  run(examined: ExaminedConfig): Promise<Finding[]>;
}

/** All is well. */
export function ok(name: string, found: string): Finding {
  return { status: "ok", name, found, mend: null };
}

/** It works, and may not do so for long or for everybody. */
export function warn(name: string, found: string, mend: string): Finding {
  return { status: "warn", name, found, mend };
}

/** The service does not start, or does not serve. */
export function fail(name: string, found: string, mend: string): Finding {
  return { status: "fail", name, found, mend };
}
