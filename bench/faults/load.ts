import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, isWrong } from "./endpoints.ts";

/** One call and what came of it. */
export interface Sample {
  /** When it began, by performance.now(). */
  readonly startedAt: number;
  readonly ms: number;
  readonly status: number;
  readonly isGood: boolean;
  readonly isWrong: boolean;
}

/** Calls that come in time, whatever becomes of those before. */
export interface Load {
  /** What has been answered so far. */
  samples(endpoint: Endpoint): readonly Sample[];
  /** Whether all that began since then is answered, and well; and something did. */
  isWell(since: number): boolean;
  /** Ends it and waits for the answers. */
  stop(): Promise<void>;
}

/** Calls of each endpoint a second. */
const callsPerSecond = 4;
/** What may be on its way while all is well. */
const onTheWayMs = 400;

/** Starts it. */
export function startLoad(endpoints: readonly Endpoint[]): Load {
  const ending = new AbortController();
  const taken = new Map<Endpoint, Sample[]>(endpoints.map((endpoint) => [endpoint, []]));
  const pending = new Set<{ readonly startedAt: number; readonly done: Promise<void> }>();

  const callOnce = (endpoint: Endpoint): void => {
    const startedAt = performance.now();
    const done = endpoint.call().then((answer) => {
      pending.delete(call);
      taken.get(endpoint)?.push({
        startedAt,
        ms: answer.ms,
        status: answer.status,
        isGood: endpoint.isGood(answer),
        isWrong: isWrong(endpoint, answer),
      });
    });
    const call = { startedAt, done };
    pending.add(call);
  };
  const running = endpoints.map(async (endpoint, index) => {
    await sleep((1000 / callsPerSecond / endpoints.length) * index);
    const beganAt = performance.now();
    for (let count = 1; !ending.signal.aborted; count += 1) {
      callOnce(endpoint);
      await sleep(Math.max(0, beganAt + (count * 1000) / callsPerSecond - performance.now()));
    }
  });
  return {
    samples: (endpoint) => taken.get(endpoint) ?? [],
    isWell(since) {
      const isLate = [...pending].some(({ startedAt }) => performance.now() - startedAt > onTheWayMs);
      return (
        !isLate &&
        [...taken.values()].every((samples) => {
          const last = samples.filter(({ startedAt }) => startedAt >= since);
          return last.length > 0 && last.every(({ isGood }) => isGood);
        })
      );
    },
    async stop() {
      ending.abort();
      await Promise.all(running);
      await Promise.all([...pending].map(({ done }) => done));
    },
  };
}
