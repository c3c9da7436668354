import { calls } from "./contender.ts";
import type { HashFloor } from "./floors.ts";
import type { Figures, Rounds, Spread } from "./measure.ts";

/** Everything that a run has found. */
export interface Report {
  readonly machine: { readonly cores: number; readonly model: string; readonly node: string };
  readonly commit: string;
  readonly at: string;
  readonly rounds: Rounds;
  /** The part of the processors' time that others took before the run. */
  readonly busyBefore: number;
  readonly quiet: boolean;
  readonly hash: HashFloor;
  readonly figures: readonly Figures[];
  /** What each contender held in memory before its first call. MiB, by part. */
  readonly idleMib: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A report as text for a terminal. */
export function printReport(report: Report): string {
  const { machine, rounds, hash } = report;
  const lines = [
    `${machine.cores} cores (${machine.model}), Node ${machine.node}, commit ${report.commit}, ${report.at}`,
    `${rounds.rounds} rounds of ${rounds.seconds} s, in turn; 16 at once; medians, with minimum and maximum in brackets`,
    report.quiet
      ? "The machine was quiet before the run."
      : `The machine was NOT quiet: others took ${(report.busyBefore * 100).toFixed(0)} % of its processors.`,
    "",
    `bare Argon2id (${hash.implementation}): ${hash.perSecond.toFixed(0)} hashes/s, ${hash.processorMs.toFixed(1)} ms of processor time each`,
  ];
  for (const [call, what] of Object.entries(calls)) {
    const rows = report.figures.filter((one) => one.call === call);
    if (rows.length > 0) lines.push("", `${call}: ${what}`, ...rows.map((row) => line(row, rows)));
  }
  lines.push("", "memory, idle (MiB)");
  for (const [name, parts] of Object.entries(report.idleMib)) {
    const shown = Object.entries(parts).map(([part, mib]) => `${part} ${mib.toFixed(0)}`);
    lines.push(`  ${name.padEnd(nameWidth)} ${shown.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}

const nameWidth = 30;

function line(row: Figures, rows: readonly Figures[]): string {
  const others = rows.filter(({ kind }) => kind !== "ours");
  const best = (kind: Figures["kind"]) =>
    Math.max(...others.filter((one) => one.kind === kind).map(({ perSecond }) => perSecond.median));
  const ratio = (kind: "floor" | "least" | "peer", name: string) => {
    const value = best(kind);
    return row.kind === "ours" && Number.isFinite(value)
      ? [`${(row.perSecond.median / value).toFixed(2)} of ${name}`]
      : [];
  };
  const ratios = [...ratio("floor", "bare"), ...ratio("least", "least"), ...ratio("peer", "best peer")];
  const parts = Object.entries(row.processorUs)
    .filter(([, { median }]) => median >= 0.5)
    .map(([part, { median }]) => `${part} ${micros(median)}`);
  return [
    `  ${row.contender.padEnd(nameWidth)}`,
    `${spread(row.perSecond, 0)}/s`.padEnd(28),
    `p50 ${row.p50Ms.median.toFixed(2)} p99 ${row.p99Ms.median.toFixed(2)} ms`.padEnd(28),
    parts.join(", "),
    row.errors > 0 ? `${row.errors} ERRORS of ${row.requests}` : "",
    ratios.length > 0 ? `[${ratios.join(", ")}]` : "",
  ]
    .filter((text) => text !== "")
    .join("  ");
}

function spread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

function micros(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} ms` : `${value.toFixed(0)} µs`;
}
