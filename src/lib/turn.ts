import { AsyncLocalStorage } from "node:async_hooks";

/** Hands an item over, to be dealt with together with all others of this turn of the event loop. */
export type Gather<Item> = (item: Item) => void;

/**
 * Gathers what comes in one turn of the event loop, so that one message serves all. Nobody waits for anybody: the turn
 * ends when what has arrived on all sockets was read.
 *
 * @param leave called once at the end of each turn in which something came, as nobody's call: it belongs to several
 */
export function gatherTurn<Item>(leave: (items: readonly Item[]) => void): Gather<Item> {
  const asNobody = AsyncLocalStorage.snapshot();
  let gathered: Item[] = [];
  const end = (): void => {
    const items = gathered;
    gathered = [];
    leave(items);
  };
  const begin = (): NodeJS.Immediate => setImmediate(end);
  return (item) => {
    if (gathered.push(item) === 1) asNobody(begin);
  };
}
