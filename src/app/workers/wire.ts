import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";

/** A message, and the connection that came with it. */
type Take = (message: unknown, socket: Socket | undefined) => void;

/** The line between a supervisor and one of its workers, from either end. */
export interface Wire {
  /** Sends what can be cloned. What is sent to a process that has gone is lost. */
  send(message: object): void;
  /** Sends a connection, which stays open here too. */
  hand(message: object, socket: Socket): void;
  /** Called for each message, by all who ask. */
  receive(take: Take): void;
}

/** The line to a worker, or from a worker to its supervisor. */
export function createWire(end: ChildProcess | NodeJS.Process): Wire {
  const ignore = (): void => undefined;
  const send = (message: object, socket?: Socket): void => {
    if (end.connected) end.send?.(message, socket, { keepOpen: true }, ignore);
  };
  return {
    send: (message) => send(message),
    hand: send,
    receive(take) {
      // A process has this event in its types, too, but with other parameters.
      (end as ChildProcess).on("message", (message, handle) => take(message, handle as Socket | undefined));
    },
  };
}
