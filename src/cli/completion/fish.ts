import type { Command } from "../command.ts";
import { takesFile, wordsOf } from "./words.ts";

/** A script for fish that completes commands, options and files. It starts no process. */
export function fishCompletion(commands: readonly Command[]): string {
  const { first, second, options } = wordsOf(commands);
  const lines = [
    "# Completes countersign in fish: countersign completion fish | source",
    `complete -c countersign -f -n "test (count (commandline -opc)) -eq 1" -a "${first.join(" ")}"`,
  ];
  for (const [word, words] of second) {
    if (words.length === 0) continue;
    const isAfter = `test (count (commandline -opc)) -eq 2; and __fish_seen_subcommand_from ${word}`;
    lines.push(`complete -c countersign -f -n "${isAfter}" -a "${words.join(" ")}"`);
  }
  for (const [name, specs] of options) {
    const isFor = name
      .split(" ")
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join("; and ");
    for (const [option, spec] of Object.entries(specs)) {
      const value = spec.value === undefined ? "" : takesFile(spec) ? " -r -F" : " -x";
      const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
      lines.push(
        `complete -c countersign -n "${isFor}" -l ${option}${short}${value} -d '${spec.help.replaceAll("'", "\\'")}'`,
      );
    }
  }
  return lines.join("\n");
}
