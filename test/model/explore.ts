import type { Rules } from "./rules.ts";
import { firstState, keyOf, type State } from "./state.ts";
import { findStep, type Step, steps } from "./steps.ts";

/** What the search has found. */
export interface Explored {
  /** The number of steps of every history that was looked at. */
  readonly depth: number;
  readonly states: number;
  readonly transitions: number;
  readonly milliseconds: number;
  /** Null where every property holds. */
  readonly counterexample: Counterexample | null;
}

/** A shortest history that breaks a property. */
export interface Counterexample {
  readonly violation: string;
  readonly trace: readonly Step[];
}

interface Visited {
  readonly state: State;
  readonly trace: Trace | null;
}

interface Trace {
  readonly step: Step;
  readonly before: Trace | null;
}

/**
 * Takes every step from every state, breadth first, so that a counterexample is as short as one can be.
 *
 * @param depth how many steps a history has at most
 * @param given the names of steps that were taken before the first of these
 */
export function explore(rules: Rules, depth: number, given: readonly string[] = []): Explored {
  const startMs = performance.now();
  const seen = new SeenStates();
  let frontier: Visited[] = [begin(given, rules)];
  for (const { state } of frontier) seen.add(keyOf(state));
  let transitions = 0;
  const told = (counterexample: Counterexample | null): Explored => ({
    depth,
    states: seen.size,
    transitions,
    milliseconds: performance.now() - startMs,
    counterexample,
  });

  for (let level = 0; level < depth && frontier.length > 0; level += 1) {
    const next: Visited[] = [];
    for (const { state, trace } of frontier) {
      for (const step of steps) {
        const taken = step.take(state, rules);
        if (taken === null) continue;
        transitions += 1;
        const reached = { step, before: trace };
        if (taken.violation !== null) return told({ violation: taken.violation, trace: listOf(reached) });
        if (!seen.add(keyOf(taken.state))) continue;
        next.push({ state: taken.state, trace: reached });
      }
    }
    frontier = next;
  }
  return told(null);
}

function begin(given: readonly string[], rules: Rules): Visited {
  let at: Visited = { state: firstState, trace: null };
  for (const name of given) {
    const step = findStep(name);
    const taken = step.take(at.state, rules);
    if (taken === null) throw new Error(`This cannot happen: ${name}`);
    at = { state: taken.state, trace: { step, before: at.trace } };
  }
  return at;
}

function listOf(trace: Trace): Step[] {
  const list: Step[] = [];
  for (let at: Trace | null = trace; at !== null; at = at.before) list.push(at.step);
  return list.toReversed();
}

/** States by 52 bits of a hash: of ten million, two are taken for one with a chance of one in a hundred. */
class SeenStates {
  #table = new Float64Array(1 << 16);
  size = 0;

  /** @returns whether it is new */
  add(key: string): boolean {
    if (2 * this.size >= this.#table.length) this.#grow();
    const isNew = put(this.#table, hashOf(key));
    if (isNew) this.size += 1;
    return isNew;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#table.length);
    for (const hash of this.#table) if (hash !== 0) put(grown, hash);
    this.#table = grown;
  }
}

function put(table: Float64Array, hash: number): boolean {
  const mask = table.length - 1;
  let at = hash % table.length;
  for (;;) {
    const there = table[at];
    if (there === hash) return false;
    if (there === 0) {
      table[at] = hash;
      return true;
    }
    at = (at + 1) & mask;
  }
}

/** Two rounds of 32 bits (cyrb53); never 0. */
function hashOf(key: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (low & 0xfffff) + (high >>> 0) + 1;
}
