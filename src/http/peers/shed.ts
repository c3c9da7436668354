/** A connection, as far as its weight goes. */
export interface Load {
  /** How many requests and streams it holds, and pieces of 64 KiB that it does not take. */
  weight(): number;
  close(): void;
}

/** Connections with less than that are not worth closing: what they hold frees next to nothing. */
const weightMin = 4;
const partAtOnce = 0.25;

/** Closes the heaviest quarter of the connections, at least one of those that are heavy at all. @returns how many */
export function shedHeaviest(loads: Iterable<Load>): number {
  const heavy = Array.from(loads, (load) => ({ load, weight: load.weight() }))
    .filter(({ weight }) => weight >= weightMin)
    .toSorted((one, other) => other.weight - one.weight);
  const closed = heavy.slice(0, Math.ceil(heavy.length * partAtOnce));
  for (const { load } of closed) load.close();
  return closed.length;
}

/** What a socket's peer has not taken, in the unit of weights. */
export function unreadWeight(socket: { readonly writableLength: number }): number {
  return socket.writableLength / 65_536;
}
