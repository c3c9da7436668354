import type { Cost, Costs } from "./costs.ts";
import type { Draw } from "./random.ts";

/** How people use the products that sign in by the service. */
export interface Habits {
  readonly users: number;
  /** The part of them that comes on one morning. */
  readonly activeShare: number;
  /** How far their first requests are spread: the standard deviation around the peak. Minutes. */
  readonly spreadMinutes: number;
  /** The part of them whose session has ended, so that they sign in with their password. */
  readonly signInShare: number;
  /** How long they stay, on average. Minutes. */
  readonly stayMinutes: number;
  /** How often a client refreshes its access token while they stay. Minutes. */
  readonly refreshMinutes: number;
  /** Introspections for each of them in a minute. Services that verify tokens themselves ask for none. */
  readonly introspectionsPerMinute: number;
}

/** Calls in one second. */
export interface Calls {
  readonly logins: number;
  readonly refreshes: number;
  readonly introspections: number;
}

/** A second of the morning. */
export interface Second extends Calls {
  /** Those who stay, at its end. */
  readonly active: number;
}

/** How far the morning reaches to both sides of its peak, in standard deviations. */
const reach = 3;

/** Every second of a morning, by chance. */
export function* simulateMorning(habits: Habits, draw: Draw): Generator<Second> {
  const spread = habits.spreadMinutes * 60;
  const perSecond = (habits.users * habits.activeShare) / (spread * Math.sqrt(2 * Math.PI));
  let active = 0;
  for (let at = -reach * spread; at <= reach * spread; at += 1) {
    const arrivals = draw.poisson(perSecond * Math.exp(-((at / spread) ** 2) / 2));
    const logins = draw.binomial(arrivals, habits.signInShare);
    // Whoever has a session left begins with a refresh, since the access token has expired overnight.
    const refreshes = arrivals - logins + draw.poisson(active / (habits.refreshMinutes * 60));
    const introspections = draw.poisson((active * habits.introspectionsPerMinute) / 60);
    active += arrivals - draw.poisson(active / (habits.stayMinutes * 60));
    yield { logins, refreshes, introspections, active };
  }
}

/** The processor time that calls cost each part. Microseconds. */
export function costOfCalls(costs: Costs, { logins, refreshes, introspections }: Calls): Cost {
  const sum = (part: keyof Cost) =>
    logins * costs.login[part] + refreshes * costs.refresh[part] + introspections * costs.introspection[part];
  return { service: sum("service"), hashing: sum("hashing"), postgres: sum("postgres"), redis: sum("redis") };
}
