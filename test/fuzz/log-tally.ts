/** What the log of a service under test says of it. */
export interface LogTally {
  /** Takes a line. */
  read(line: string): void;
  /** Requests by HTTP status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Requests by protocol. */
  readonly protocols: ReadonlyMap<string, number>;
  /** Requests that failed, by reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Lines that must not be there: failures of the service's own making. */
  readonly faults: readonly string[];
}

// What a caller asked for with a deadline of its own, or by sending half a body.
const ofTheCaller: ReadonlySet<unknown> = new Set(["deadline_exceeded", "request_timeout"]);
const faultsMax = 50;

/** Counts the requests of a log. */
export function createLogTally(): LogTally {
  const statuses = new Map<number, number>();
  const protocols = new Map<string, number>();
  const reasons = new Map<string, number>();
  const faults: string[] = [];
  const count = <K>(map: Map<K, number>, key: K): void => void map.set(key, (map.get(key) ?? 0) + 1);
  const addFault = (line: string): void => {
    if (faults.length < faultsMax) faults.push(line);
  };
  return {
    statuses,
    protocols,
    reasons,
    faults,
    read(line) {
      if (line === "") return;
      const fields = parse(line);
      const { status, level, protocol, reason } = fields ?? {};
      const isFailure = Number(status) >= 500 && !ofTheCaller.has(reason);
      if (fields === null || level === "error" || isFailure) addFault(line);
      if (typeof status !== "number") return;
      count(statuses, status);
      if (typeof protocol === "string") count(protocols, protocol);
      if (typeof reason === "string") count(reasons, reason);
    },
  };
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}
