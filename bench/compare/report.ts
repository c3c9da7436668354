import { calls } from "./contender.ts";
import type { LoginStormFigures } from "./login-storm.ts";
import type { Figures } from "./measure.ts";
import type { Report } from "./results.ts";
import type { Spread } from "./spread.ts";
import { isInvalid, judge, readTargets, type Target } from "./targets.ts";

const nameWidth = 30;

/** A report as text for a terminal. */
export function printReport(report: Report): string {
  const lines = [
    ...printHead(report),
    ...Object.entries(calls).flatMap(([call, what]) => {
      const rows = report.figures.filter((one) => one.call === call);
      return rows.length === 0 ? [] : ["", `${call}: ${what}`, ...rows.map((row) => line(row, rows))];
    }),
    ...printStorms(report.storms),
    ...printMemory(report),
    "",
    "targets (Countersign with Redis, PostgreSQL)",
    ...readTargets(report).map(printTarget),
  ];
  return `${lines.join("\n")}\n`;
}

function printHead({ machine, rounds, hash, start, ...report }: Report): string[] {
  return [
    `${machine.cores} cores (${machine.model}), Node ${machine.node}, commit ${report.commit}, ${report.at}`,
    `${rounds.rounds} rounds of ${rounds.seconds} s, in turn; 16 at once, by ${report.generators}; medians, with minimum and maximum`,
    report.quiet
      ? "The machine was quiet before the run."
      : `The machine was NOT quiet: others took ${(report.busyBefore * 100).toFixed(0)} % of its processors.`,
    "",
    `bare Argon2id (${hash.implementation}): ${hash.perSecond.toFixed(0)} hashes/s, ${hash.processorMs.toFixed(1)} ms of processor time each`,
    `ready after the start: ${spread(start.readyMs, 0)} ms`,
  ];
}

function printStorms(storms: readonly LoginStormFigures[]): string[] {
  if (storms.length === 0) return [];
  const rows = storms.map((one) =>
    [
      `  ${one.contender.padEnd(nameWidth)}`,
      `idle ${spread(one.idleP99Ms, 1)} ms`.padEnd(26),
      `storm ${spread(one.stormP99Ms, 1)} ms`.padEnd(28),
      `${one.loginsPerSecond.median.toFixed(0)} logins/s`,
      one.refusedLogins > 0 ? `${one.refusedLogins} logins refused` : "",
      one.errors > 0 ? `INVALID: ${one.errors} refreshes failed` : "",
    ].join("  "),
  );
  return ["", "refresh p99, idle and while 64 callers sign in", ...rows];
}

function printMemory({ idleMib, start }: Report): string[] {
  const fresh = Object.entries(start.memoryMib).map(([part, mib]) => `${part} ${spread(mib, 0)}`);
  return [
    "",
    "memory (resident, MiB)",
    `  ${"Countersign, just started".padEnd(nameWidth)} ${fresh.join(", ")}; the hashes keep ${start.hashMib.median.toFixed(0)}`,
    ...Object.entries(idleMib).map(([name, parts]) => {
      const shown = Object.entries(parts).map(([part, mib]) => `${part} ${mib.toFixed(0)}`);
      return `  ${name.padEnd(nameWidth)} ${shown.join(", ")}`;
    }),
  ];
}

function printTarget(target: Target): string {
  const { name, unit, more, atLeast, reachFor, measured } = target;
  const show = (value: number) =>
    unit === "times" ? value.toFixed(2) : `${Number(value.toFixed(2))} ${unit}`;
  const found = measured === null ? "-" : show(measured);
  const bounds = `${more ? "at least" : "at most"} ${show(atLeast)}, reach for ${show(reachFor)}`;
  return `  ${name.padEnd(62)} ${found.padStart(10)}   ${bounds.padEnd(38)} ${judge(target)}`;
}

function line(row: Figures, rows: readonly Figures[]): string {
  const parts = Object.entries(row.processorUs)
    .filter(([, { median }]) => median >= 0.5)
    .map(([part, { median }]) => `${part} ${micros(median)}`);
  const ratios = ratiosOf(row, rows);
  return [
    `  ${row.contender.padEnd(nameWidth)}`,
    `${spread(row.perSecond, 0)}/s`.padEnd(28),
    `p50 ${row.p50Ms.median.toFixed(2)} p99 ${row.p99Ms.median.toFixed(2)} ms`.padEnd(28),
    parts.join(", "),
    isInvalid(row) ? `INVALID: ${row.errors} of ${row.requests} failed` : "",
    ratios.length > 0 ? `[${ratios.join(", ")}]` : "",
  ]
    .filter((text) => text !== "")
    .join("  ");
}

/** How the service compares with the fastest of each kind; nothing where either is invalid. */
function ratiosOf(row: Figures, rows: readonly Figures[]): string[] {
  if (row.kind !== "ours" || isInvalid(row)) return [];
  const names = { floor: "bare", least: "least", peer: "best peer" } as const;
  return Object.entries(names).flatMap(([kind, name]) => {
    const others = rows.filter((one) => one.kind === kind && !isInvalid(one));
    const best = Math.max(...others.map(({ perSecond }) => perSecond.median));
    return others.length === 0 ? [] : [`${(row.perSecond.median / best).toFixed(2)} of ${name}`];
  });
}

function spread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

function micros(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} ms` : `${value.toFixed(0)} µs`;
}
