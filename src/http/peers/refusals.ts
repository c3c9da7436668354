import type { HeldKind, RefusingBound } from "../../ops/metrics/peer-metrics.ts";

/** Logs refusals. */
export interface RefusalLog {
  /** @param address who was refused, the last one of which is named; "" where nobody can be */
  note(kind: HeldKind, bound: RefusingBound, address: string): void;
}

const periodMs = 10_000;

interface Tally {
  refused: number;
  address: string;
}

/** One line for each kind and limit at once, and then at most every ten seconds: a flood of requests must not flood the log. */
export function createRefusalLog(log: { warn(fields: object, message: string): void }): RefusalLog {
  const tallies = new Map<string, Tally>();
  return {
    note(kind, bound, address) {
      const name = `${kind} ${bound}`;
      const known = tallies.get(name);
      if (known !== undefined) {
        known.refused += 1;
        known.address = address;
        return;
      }
      const write = (refused: number, last: string): void =>
        log.warn(
          { kind, bound, refused, client_address: last },
          "callers hold too much; further requests were refused",
        );
      write(1, address);
      const tally: Tally = { refused: 0, address };
      tallies.set(name, tally);
      const timer = setInterval(() => {
        if (tally.refused > 0) {
          write(tally.refused, tally.address);
          tally.refused = 0;
          return;
        }
        clearInterval(timer);
        tallies.delete(name);
      }, periodMs).unref();
    },
  };
}
