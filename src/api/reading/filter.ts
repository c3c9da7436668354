import { invalidFields } from "../../errors/invalid.ts";

/** A comparison of a filter. */
export interface Comparison {
  /** The field's name. */
  readonly field: string;
  readonly operator: "=" | ":" | ">=" | "<";
  readonly value: string;
}

const comparisonsMax = 8;
// A value is a word, or stands in quotes; in these a backslash keeps the sign after it.
const comparisonForm =
  /^ *([a-z_]{1,32}) *(=|:|>=|<) *(?:"((?:[^"\\]|\\["\\]){0,512})"|([^\p{White_Space}"\\()]{1,256}))(?= |$)/u;
const joinForm = /^ +AND(?= )/;

/**
 * Reads a filter: comparisons joined by AND, a part of the language of AIP-160. No text of it is ever echoed.
 *
 * @param text bounded by the contract; empty for none
 * @returns the comparisons, each of another field and operator
 * @throws AppError validation_failed
 */
export function readFilter(text: string): readonly Comparison[] {
  if (/\p{Cc}/u.test(text)) throw wrongFilter("must not hold control characters");
  const comparisons: Comparison[] = [];
  let rest = text.replace(/ +$/, "");
  while (rest !== "") {
    const [all, field = "", operator = "", quoted, word = ""] = comparisonForm.exec(rest) ?? [];
    if (all === undefined) {
      throw wrongFilter(`cannot be read from character ${text.length - rest.length + 1} on`);
    }
    const value = quoted === undefined ? word : quoted.replaceAll(/\\(.)/g, "$1");
    comparisons.push({ field, operator: operator as Comparison["operator"], value });
    if (comparisons.length > comparisonsMax) {
      throw wrongFilter(`must be at most ${comparisonsMax} comparisons`);
    }
    rest = rest.slice(all.length);
    if (rest === "") break;
    const [join] = joinForm.exec(rest) ?? [];
    if (join === undefined) throw wrongFilter("must join its comparisons by AND");
    rest = rest.slice(join.length);
    if (rest === "") throw wrongFilter("must not end with AND");
  }
  const names = new Set(comparisons.map(({ field, operator }) => `${field} ${operator}`));
  if (names.size < comparisons.length) throw wrongFilter("must not compare one field twice in one way");
  return comparisons;
}

/** The failure of a filter. @param detail what is wrong, without a text of the caller's */
export function wrongFilter(detail: string): Error {
  return invalidFields([{ field: "filter", code: "bad_form", detail }]);
}
