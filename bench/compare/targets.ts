import type { CallName, Kind } from "./contender.ts";
import type { Figures } from "./measure.ts";
import type { Report } from "./results.ts";

/** A figure of the service with what it should be. */
export interface Target {
  readonly name: string;
  readonly unit: "times" | "ms" | "MiB";
  /** Whether more is better. */
  readonly more: boolean;
  readonly atLeast: number;
  readonly reachFor: number;
  /** Null where the run has not measured it, or where one of its figures is invalid. */
  readonly measured: number | null;
}

/** The contender whose figures count. */
const judged = "Countersign, Redis";

type Read = (report: Report) => number | null;

/** What the service is held against. A ratio counts within one run on 2 cores, load generator included. */
const targets: readonly (Omit<Target, "measured"> & { readonly read: Read })[] = [
  ratio("logins/s, against the best peer", "login", "peer", 1.05, 1.35),
  limit("a login's processor time beyond its hash", "ms", 1.0, 0.6, (report) => {
    const service = processorMsOf(report, "login", "service");
    const hashing = processorMsOf(report, "login", "hashing");
    return service === null || hashing === null ? null : service + hashing - report.hash.processorMs;
  }),
  limit("a login's processor time of PostgreSQL", "ms", 0.8, 0.5, (report) =>
    processorMsOf(report, "login", "PostgreSQL"),
  ),
  ratio("refreshes/s, against the best peer", "refresh", "peer", 2.0, 2.5),
  ratio("introspections/s of one token, against the best peer", "introspectHot", "peer", 1.0, 1.2),
  ratio("introspections/s, each token once, against the least service", "introspectOnce", "least", 0.8, 1.0),
  ratio(
    "client credentials/s, against oidc-provider",
    "clientCredentials",
    "peer",
    2.0,
    2.5,
    "oidc-provider",
  ),
  ratio("GET /auth/me /s, against bare node:http", "me", "floor", 0.4, 0.55, "node:http, bare"),
  ratio("gRPC introspections/s, against grpc-js", "introspectGrpc", "floor", 0.6, 1.0, "@grpc/grpc-js, bare"),
  limit("refresh p99 while 64 sign in", "ms", 15, 15, (report) => stormOf(report)?.stormP99Ms.median ?? null),
  {
    name: "refresh p99 while 64 sign in, against idle",
    unit: "times",
    more: false,
    atLeast: 3,
    reachFor: 2,
    read: (report) => {
      const storm = stormOf(report);
      return storm === undefined ? null : storm.stormP99Ms.median / storm.idleP99Ms.median;
    },
  },
  limit("memory, idle, without the hashes' own", "MiB", 150, 110, ({ start }) => {
    const { service, hashing } = start.memoryMib;
    return service === undefined ? null : service.median + (hashing?.median ?? 0) - start.hashMib.median;
  }),
  limit("ready after the start, external PostgreSQL", "ms", 500, 300, ({ start }) => start.readyMs.median),
];

/** The targets with what the run has measured. */
export function readTargets(report: Report): readonly Target[] {
  return targets.map(({ read, ...target }) => ({ ...target, measured: read(report) }));
}

/** What is to be said of a target: "reached", "held", "FALLS SHORT", or "not measured". */
export function judge({ more, atLeast, reachFor, measured }: Target): string {
  if (measured === null) return "not measured";
  const keeps = (bound: number) => (more ? measured >= bound : measured <= bound);
  if (keeps(reachFor)) return "reached";
  return keeps(atLeast) ? "held" : "FALLS SHORT";
}

/** Whether a row's figures are worth nothing. */
export function isInvalid({ errors }: Figures): boolean {
  return errors > 0;
}

function ratio(
  name: string,
  call: CallName,
  kind: Kind,
  atLeast: number,
  reachFor: number,
  contender?: string,
): (typeof targets)[number] {
  const read: Read = ({ figures }) => {
    const rows = figures.filter((row) => row.call === call && !isInvalid(row));
    const own = rows.find((row) => row.contender === judged);
    const others = rows.filter(
      (row) => row.kind === kind && (contender === undefined || row.contender === contender),
    );
    if (own === undefined || others.length === 0) return null;
    return own.perSecond.median / Math.max(...others.map(({ perSecond }) => perSecond.median));
  };
  return { name, unit: "times", more: true, atLeast, reachFor, read };
}

function limit(
  name: string,
  unit: "ms" | "MiB",
  atLeast: number,
  reachFor: number,
  read: Read,
): (typeof targets)[number] {
  return { name, unit, more: false, atLeast, reachFor, read };
}

function processorMsOf({ figures }: Report, call: CallName, part: string): number | null {
  const row = figures.find((one) => one.call === call && one.contender === judged && !isInvalid(one));
  const micros = row?.processorUs[part]?.median;
  return micros === undefined ? null : micros / 1000;
}

function stormOf({ storms }: Report): Report["storms"][number] | undefined {
  return storms.find(({ contender, errors }) => contender === judged && errors === 0);
}
