import { readdirSync, readFileSync } from "node:fs";

/** The private port's connections, and as many again for occasional use: files, name look-ups, programs. */
const reserve = 128;
/** The least number, however few descriptors there are. */
const connectionsMin = 16;

/**
 * How many connections of callers the process has descriptors for, beside what is open now and what it may still need
 * for itself: the private port, its stores, files. With those kept back, callers can never use up all.
 *
 * @param storesMax connections to stores that are still to be opened
 * @returns Infinity if the system does not show its limit
 */
export function descriptorsForConnections(storesMax: number): number {
  const max = descriptorsMax();
  const open = readOr(() => readdirSync("/proc/self/fd").length, 0);
  return Math.max(connectionsMin, max - open - storesMax - reserve);
}

/** The limit that the kernel holds the process to. Node has raised it to the hard one. */
function descriptorsMax(): number {
  const limits = readOr(() => readFileSync("/proc/self/limits", "utf8"), "");
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

function readOr<T>(read: () => T, fallback: T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
