import type { MinuteFigures } from "./busy-minute.ts";
import type { Cost, Costs } from "./costs.ts";
import type { Habits, Second } from "./morning.ts";
import type { Machine, Plan } from "./plan.ts";

/** Everything that is known of a plan. */
export interface CapacityReport {
  readonly costs: Costs;
  readonly habits: Habits;
  readonly machine: Machine;
  readonly peak: Second;
  readonly plan: Plan;
  /** The busiest minute of one instance: with all of them, and with one less. */
  readonly minutes: { readonly all: MinuteFigures; readonly oneLess: MinuteFigures | null };
}

/** A plan as text for a terminal. */
export function printPlan({ costs, habits, machine, peak, plan, minutes }: CapacityReport): string {
  const { busyCores } = plan;
  return `${[
    `${count(habits.users)} users, ${count(habits.users * machine.sessionsPerUser)} sessions; measured on ${costs.machine}`,
    "",
    "processor time of one call (µs)   service  hashing  PostgreSQL  Redis",
    costLine("login", costs.login),
    costLine("refresh", costs.refresh),
    costLine("introspection", costs.introspection),
    "",
    `the busiest minute: ${count(peak.active)} people, ${count(peak.logins)} logins/s, ${count(peak.refreshes)} refreshes/s, ${count(peak.introspections)} introspections/s`,
    `busy cores: service ${cores(busyCores.service)}, hashing ${cores(busyCores.hashing)}, PostgreSQL ${cores(busyCores.postgres)}, Redis ${cores(busyCores.redis)}`,
    "",
    `at most ${(machine.busyMax * 100).toFixed(0)} % busy, and one instance may be lost:`,
    `  ${plan.instances} instances of ${machine.cores} cores`,
    `  PostgreSQL: a primary of ${plan.postgresCores} cores, ${bytes(plan.postgresBytes)} of users and sessions`,
    `  Redis: ${plan.redisShards} ${plan.redisShards === 1 ? "node" : "shards"}, ${bytes(plan.redisBytes)} of sessions at most`,
    "",
    "one instance in that minute, played call by call",
    minuteLine("all instances", minutes.all),
    ...(minutes.oneLess === null ? [] : [minuteLine("one instance lost", minutes.oneLess)]),
  ].join("\n")}\n`;
}

function costLine(name: string, { service, hashing, postgres, redis }: Cost): string {
  const cells = [
    [service, 9],
    [hashing, 9],
    [postgres, 12],
    [redis, 7],
  ] as const;
  return `  ${name.padEnd(30)}${cells.map(([value, width]) => value.toFixed(0).padStart(width)).join("")}`;
}

function minuteLine(name: string, figures: MinuteFigures): string {
  const { refreshP50Ms, refreshP99Ms, loginP50Ms, loginP99Ms, logins, refusedLogins, busy } = figures;
  const times = (p50: number, p99: number) =>
    Number.isNaN(p50) ? "none" : `${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  return [
    `  ${name.padEnd(18)} ${(busy * 100).toFixed(0)} % busy`,
    `refresh ${times(refreshP50Ms, refreshP99Ms)}`,
    `login ${times(loginP50Ms, loginP99Ms)}`,
    `${refusedLogins} of ${logins + refusedLogins} logins refused`,
  ].join("; ");
}

function count(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function cores(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}

function bytes(value: number): string {
  const gib = value / 2 ** 30;
  return gib >= 1000 ? `${(gib / 1024).toFixed(1)} TiB` : `${gib.toFixed(1)} GiB`;
}
