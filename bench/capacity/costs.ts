import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { GrowthReport } from "../compare/growth.ts";
import type { Report } from "../compare/results.ts";

/** Processor time of one call, by the part that spends it. Microseconds. */
export interface Cost {
  readonly service: number;
  readonly hashing: number;
  readonly postgres: number;
  readonly redis: number;
}

/** What the benchmark has measured of the service with Redis. */
export interface Costs {
  /** Where it was measured. */
  readonly machine: string;
  readonly login: Cost;
  readonly refresh: Cost;
  /** Of a token that was seen before. */
  readonly introspection: Cost;
  /** What one row takes in PostgreSQL, with its indexes. Bytes. */
  readonly userBytes: number;
  readonly sessionBytes: number;
}

/** The most that a session takes in Redis. A test holds it (test/faults/write-behind.test.ts). Bytes. */
export const redisSessionBytes = 400;

const measured = "Countersign, Redis";

/**
 * Reads the costs from what `npm run bench` has written.
 *
 * @param figures the file of `--json`
 * @param growth the file of `--growth --json`
 * @throws Error if a file cannot be read or lacks a figure
 */
export async function readCosts(figures: string, growth: string): Promise<Costs> {
  const report = (await readJson(figures)) as Report;
  const { sizes } = (await readJson(growth)) as GrowthReport;
  return {
    machine: `${report.machine.cores} cores, ${report.machine.model}, commit ${report.commit}, ${report.at}`,
    login: costOf(report, "login"),
    refresh: costOf(report, "refresh"),
    introspection: costOf(report, "introspectHot"),
    ...sizes,
  };
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(isAbsolute(file) ? file : join(process.cwd(), file), "utf8"));
}

function costOf({ figures }: Report, call: string): Cost {
  const row = figures.find((one) => one.call === call && one.contender === measured && one.errors === 0);
  if (row === undefined) throw new Error(`the figures have no valid row of ${call} for "${measured}"`);
  const part = (name: string) => row.processorUs[name]?.median ?? 0;
  return {
    service: part("service"),
    hashing: part("hashing"),
    postgres: part("PostgreSQL"),
    redis: part("Redis"),
  };
}
