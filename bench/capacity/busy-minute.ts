import { percentile } from "../figures.ts";
import type { Costs } from "./costs.ts";
import type { Calls } from "./morning.ts";
import type { Draw } from "./random.ts";

/** One instance: a process that serves, and a process that hashes. */
export interface Instance {
  /** How many hashes it computes at once: its cores but the one that serves. */
  readonly hashesAtOnce: number;
  /** How long a login may wait for its hash before it is refused: half of HASH_WAIT_MAX. Seconds. */
  readonly hashWaitMax: number;
  /** How many logins may wait: HASH_QUEUE_MAX. */
  readonly hashQueueMax: number;
}

/** What callers of one instance see in a minute. Milliseconds. */
export interface MinuteFigures {
  readonly refreshP50Ms: number;
  readonly refreshP99Ms: number;
  readonly loginP50Ms: number;
  readonly loginP99Ms: number;
  readonly logins: number;
  readonly refusedLogins: number;
  /** The part of the minute in which the serving process was busy. */
  readonly busy: number;
}

const seconds = 60;

/**
 * Plays a minute of one instance, call by call. Calls come at random times. The process that serves takes them one
 * after the other; a login then waits for one of the threads that hash.
 *
 * @param rate calls of this instance in a second
 */
export function playMinute(instance: Instance, costs: Costs, rate: Calls, draw: Draw): MinuteFigures {
  const kinds = [
    { name: "login", perSecond: rate.logins, cost: costs.login },
    { name: "refresh", perSecond: rate.refreshes, cost: costs.refresh },
    { name: "introspection", perSecond: rate.introspections, cost: costs.introspection },
  ];
  const total = kinds.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const threads = Array.from({ length: instance.hashesAtOnce }, () => 0);
  const hashSeconds = costs.login.hashing / 1e6;
  const times = { login: [] as number[], refresh: [] as number[], introspection: [] as number[] };
  let [freeAt, busy, refused] = [0, 0, 0];
  for (let now = draw.exponential(total); now < seconds; now += draw.exponential(total)) {
    let place = draw.uniform() * total;
    const kind = kinds.find(({ perSecond }) => (place -= perSecond) < 0);
    if (kind === undefined) continue;
    const work = kind.cost.service / 1e6;
    const servedAt = Math.max(now, freeAt) + work;
    freeAt = servedAt;
    busy += work;
    let doneAt = servedAt;
    if (kind.name === "login") {
      const thread = threads.indexOf(Math.min(...threads));
      const startsAt = Math.max(servedAt, threads[thread] ?? 0);
      const wait = startsAt - servedAt;
      const waiting = (wait / hashSeconds) * threads.length;
      if (wait > instance.hashWaitMax || waiting > instance.hashQueueMax) {
        refused += 1;
        continue;
      }
      doneAt = startsAt + hashSeconds;
      threads[thread] = doneAt;
    }
    times[kind.name as keyof typeof times].push((doneAt - now) * 1000);
  }
  return {
    refreshP50Ms: percentile(times.refresh, 0.5),
    refreshP99Ms: percentile(times.refresh, 0.99),
    loginP50Ms: percentile(times.login, 0.5),
    loginP99Ms: percentile(times.login, 0.99),
    logins: times.login.length,
    refusedLogins: refused,
    busy: busy / seconds,
  };
}
