import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { quietTurn } from "../../lib/quiet-turn.ts";

/** A worker that connections are handed to. */
export interface Taker {
  /** Hands one over. */
  hand(socket: Socket): void;
  /** How many connections it has, as last known. */
  connections(): number;
}

/** The public port, whose connections go to workers. */
export interface HandOver {
  /** @throws the error of the port */
  listen(): Promise<{ port: number }>;
  /** From here on the worker gets connections, one at a time: the next one when it has taken the last. */
  add(taker: Taker): void;
  /** The worker has taken its connection. */
  took(taker: Taker): void;
  /** It has ended. A connection that it had not taken yet goes to another one: nothing was read of it. */
  remove(taker: Taker): void;
  /** Closes the port; resolves when every connection that it had accepted is with a worker. */
  close(): Promise<void>;
}

/** Waiting for a worker; more than those of a burst mean that no worker takes any. */
const waitingMax = 4_096;
const closingMs = 1_000;

/**
 * Accepts connections and hands each to the worker that has fewest of those that are free.
 *
 * @param onAcceptFailed told of each connection that the kernel could not hand over
 */
export function createHandOver(
  options: { readonly host: string; readonly port: number },
  onAcceptFailed: (error: Error) => void,
): HandOver {
  const free = new Set<Taker>();
  const underWay = new Map<Taker, Socket>();
  const waiting: Socket[] = [];
  let onEmpty: (() => void) | null = null;

  const handOn = (): void => {
    while (free.size > 0) {
      const socket = waiting.shift();
      if (socket === undefined) break;
      if (socket.destroyed) continue;
      const taker = findLeastBusy(free);
      free.delete(taker);
      underWay.set(taker, socket);
      taker.hand(socket);
    }
    if (waiting.length === 0 && underWay.size === 0) onEmpty?.();
  };

  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    if (waiting.length >= waitingMax) socket.destroy();
    else waiting.push(socket);
    handOn();
  });

  return {
    async listen() {
      server.listen(options.port, options.host);
      await once(server, "listening");
      server.on("error", onAcceptFailed);
      return { port: (server.address() as AddressInfo).port };
    },
    add(taker) {
      free.add(taker);
      handOn();
    },
    took(taker) {
      // The worker has its own descriptor of it.
      underWay.get(taker)?.destroy();
      underWay.delete(taker);
      free.add(taker);
      handOn();
    },
    remove(taker) {
      free.delete(taker);
      const socket = underWay.get(taker);
      underWay.delete(taker);
      if (socket !== undefined) waiting.unshift(socket);
      handOn();
    },
    async close() {
      await quietTurn();
      server.close();
      const emptied = new Promise<void>((resolve) => {
        onEmpty = resolve;
      });
      const late = setTimeout(() => onEmpty?.(), closingMs);
      handOn();
      await emptied;
      clearTimeout(late);
      for (const socket of waiting.splice(0)) socket.destroy();
    },
  };
}

function findLeastBusy(takers: ReadonlySet<Taker>): Taker {
  const [first, ...others] = takers;
  if (first === undefined) throw new Error("no worker is free");
  // The one that has been free for longest, where several have as few.
  return others.reduce((least, one) => (one.connections() < least.connections() ? one : least), first);
}
