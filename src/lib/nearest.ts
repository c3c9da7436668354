/** The text of a list that is nearest to another one. */
export interface Nearest {
  readonly text: string;
  /** How many slips of a writer lie between them. */
  readonly distance: number;
}

/** Finds the text that is nearest to a mistyped one; the first of several, null for an empty list. */
export function findNearest(typed: string, texts: readonly string[]): Nearest | null {
  let nearest: Nearest | null = null;
  for (const text of texts) {
    const distance = distanceOf(typed, text);
    if (nearest === null || distance < nearest.distance) nearest = { text, distance };
  }
  return nearest;
}

/** How many letters have to be removed, added, replaced or swapped with a neighbour (Damerau and Levenshtein). */
function distanceOf(from: string, to: string): number {
  let [before, last] = [[] as number[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      next[column] = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return last[to.length] ?? 0;
}
