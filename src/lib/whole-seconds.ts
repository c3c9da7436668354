/** Milliseconds as the whole seconds that have passed in them, as lifetimes go on the wire and into the stores. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
