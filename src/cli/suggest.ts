import { findNearest } from "../lib/nearest.ts";
import { commands, namesOf } from "./commands.ts";

/** A sentence that names the command that was probably meant; empty where none is near. */
export function suggestCommand(words: readonly string[]): string {
  const names = commands.filter(({ isHidden }) => isHidden !== true).flatMap(namesOf);
  // What follows the name of a command is no part of it.
  const typed = [words.slice(0, 1), words.slice(0, 2)].map((each) => each.join(" "));
  const found = typed
    .map((text) => ({ text, near: findNearest(text, names) }))
    .filter(({ text, near }) => near !== null && isNear(text, near.distance))
    .toSorted((one, other) => (one.near?.distance ?? 0) - (other.near?.distance ?? 0));
  return sentence(found[0]?.near?.text);
}

/** The same for an option, by the parser's own sentence about it. */
export function suggestOption(problem: string, names: readonly string[]): string {
  const [, typed] = /^Unknown option '--([^'=]+)/.exec(problem) ?? [];
  const near = typed === undefined ? null : findNearest(typed, names);
  return near !== null && typed !== undefined && isNear(typed, near.distance)
    ? sentence(`--${near.text}`)
    : "";
}

/** A third of what was typed may be wrong. */
function isNear(typed: string, distance: number): boolean {
  return distance <= Math.ceil(typed.length / 3);
}

function sentence(meant: string | undefined): string {
  return meant === undefined ? "" : ` Did you mean \`${meant}\`?`;
}
