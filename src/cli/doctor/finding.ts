import type { ExaminedConfig } from "../../config/config.ts";
import type { VariableName } from "../../config/variables.ts";

/** What a check has found. Nothing in it is secret, or part of an address that holds a secret. */
export interface Finding {
  readonly status: "ok" | "warn" | "fail";
  /** The thing that was checked, in a word or two. */
  readonly name: string;
  /** One sentence, without the full stop. */
  readonly found: string;
  /** What to do about it; null if there is nothing to do. */
  readonly mend: string | null;
}

/** One check of the doctor. It changes nothing. */
export interface Check {
  /** The name of its findings, used if it could not run. */
  readonly name: string;
  /** The variables that must be valid for the check to make sense. */
  readonly needs: readonly VariableName[];
  /** Whether other checks at the same time would distort what it measures. */
  readonly runsAlone?: true;
  run(examined: ExaminedConfig): Promise<Finding[]>;
}

/** All is well. */
export function ok(name: string, found: string): Finding {
  return { status: "ok", name, found, mend: null };
}

/** It works, but perhaps not for long or not for everybody. */
export function warn(name: string, found: string, mend: string): Finding {
  return { status: "warn", name, found, mend };
}

/** The service does not start, or does not serve. */
export function fail(name: string, found: string, mend: string): Finding {
  return { status: "fail", name, found, mend };
}
