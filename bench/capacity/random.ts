/** Draws by chance, the same ones for the same seed. */
export interface Draw {
  /** Even, from 0 up to 1. */
  uniform(): number;
  /** How long until the next of events that happen independently of one another. @param rate events in a unit of time */
  exponential(rate: number): number;
  /** How many such events happen in a unit of time. */
  poisson(mean: number): number;
  /** How many of `count` happen. @param share the part that happens on average */
  binomial(count: number, share: number): number;
}

/** Above this mean the distributions are drawn as normal ones. */
const many = 50;

/** @param seed a whole number */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  // Mulberry32: 32 bits of state are plenty for a simulation.
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const exponential = (rate: number): number => -Math.log(1 - uniform()) / rate;
  const poisson = (mean: number): number => {
    if (mean > many) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let count = -1;
    for (let passed = 0; passed <= mean; count += 1) passed += exponential(1);
    return count;
  };
  return {
    uniform,
    exponential,
    poisson,
    binomial(count, share) {
      if (count > many) {
        const mean = count * share;
        const drawn = Math.round(mean + Math.sqrt(mean * (1 - share)) * normal());
        return Math.min(count, Math.max(0, drawn));
      }
      let happened = 0;
      for (let index = 0; index < count; index += 1) if (uniform() < share) happened += 1;
      return happened;
    },
  };
}
