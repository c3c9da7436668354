import { type Cost, type Costs, redisSessionBytes } from "./costs.ts";
import { costOfCalls, type Habits, type Second } from "./morning.ts";

/** What the service runs on. */
export interface Machine {
  /** Cores of each instance. One serves, the others hash. */
  readonly cores: number;
  /** How busy a part may be at the peak, from 0 to 1. */
  readonly busyMax: number;
  readonly sessionsPerUser: number;
}

/** What a number of users takes. */
export interface Plan {
  /** Cores that are wholly busy at the peak, by part. */
  readonly busyCores: Cost;
  readonly instances: number;
  readonly hashesAtOnce: number;
  /** Cores of the PostgreSQL primary. */
  readonly postgresCores: number;
  /** Redis runs scripts on one core: a cluster needs so many shards. */
  readonly redisShards: number;
  readonly redisBytes: number;
  readonly postgresBytes: number;
}

/** Sizes each part so that it is no busier at the peak than it may be. One instance more may always be lost. */
export function makePlan(costs: Costs, habits: Habits, machine: Machine, peak: Second): Plan {
  const micros = costOfCalls(costs, peak);
  const cores = (part: keyof Cost) => micros[part] / 1e6;
  const needed = (busy: number, each: number) => Math.ceil(busy / (each * machine.busyMax));
  const hashesAtOnce = machine.cores - 1;
  const instances = Math.max(needed(cores("service"), 1), needed(cores("hashing"), hashesAtOnce)) + 1;
  const sessions = habits.users * machine.sessionsPerUser;
  // Redis forgets a session that nobody refreshes for a day: it holds those of whoever comes on a day.
  const sessionsOfDay = sessions * habits.activeShare;
  return {
    busyCores: {
      service: cores("service"),
      hashing: cores("hashing"),
      postgres: cores("postgres"),
      redis: cores("redis"),
    },
    instances,
    hashesAtOnce,
    postgresCores: needed(cores("postgres"), 1),
    redisShards: needed(cores("redis"), 1),
    redisBytes: sessionsOfDay * redisSessionBytes,
    postgresBytes: habits.users * costs.userBytes + sessions * costs.sessionBytes,
  };
}
