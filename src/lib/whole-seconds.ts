/** Milliseconds as whole seconds, rounded down: the form of lifetimes on the wire and in the stores. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
