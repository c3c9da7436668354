import { setImmediate as nextTurn } from "node:timers/promises";

// A turn of the event loop that is as short has let nobody wait; a process that is never so idle stops all the same.
const quietTurnMs = 1;
const turnsMax = 500;

/**
 * Resolves right after a turn of the event loop in which every connection that the kernel had accepted was taken,
 * and next to nothing else was done. What it accepts from here until the socket closes is reset.
 */
export async function quietTurn(): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const startedAt = performance.now();
    await nextTurn();
    if (performance.now() - startedAt < quietTurnMs) return;
  }
}
