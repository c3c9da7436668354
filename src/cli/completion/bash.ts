import type { Command } from "../command.ts";
import { takesFile, wordsOf } from "./words.ts";

/** A script for bash that completes commands, options and files. It starts no process. */
export function bashCompletion(commands: readonly Command[]): string {
  const { first, second, options } = wordsOf(commands);
  const cases = [...second]
    .filter(([, words]) => words.length > 0)
    .map(([word, words]) => `      ${word}) words="${words.join(" ")}" ;;`);
  const optionCases = [...options].map(
    ([name, specs]) =>
      `    "${name}") words="${Object.keys(specs)
        .map((each) => `--${each}`)
        .join(" ")}" ;;`,
  );
  const all = [...options.values()].flatMap((specs) => Object.entries(specs));
  const flagsOf = (isFile: boolean): string =>
    [
      ...new Set(
        all
          .filter(([, spec]) => spec.value !== undefined && takesFile(spec) === isFile)
          .map(([name]) => name),
      ),
    ]
      .map((name) => `--${name}`)
      .join("|");
  return `# Completes countersign in bash: source <(countersign completion bash)
_countersign() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words="" start=1
  COMPREPLY=()
  case "$before" in
    ${flagsOf(true)}|-f) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${flagsOf(false)}) return ;;
  esac
  if [[ \${COMP_WORDS[1]} == help ]]; then start=2; fi
  if ((COMP_CWORD == start)); then
    words="${first.join(" ")}"
  elif ((COMP_CWORD == start + 1)) && [[ $current != -* ]]; then
    case "\${COMP_WORDS[start]}" in
${cases.join("\n")}
    esac
  fi
  if [[ -z $words && $current == -* ]]; then
    local name="\${COMP_WORDS[1]} \${COMP_WORDS[2]}"
    case "$name" in
${optionCases.map((line) => `  ${line.replace(/^( +)"([^ "]+)"\)/, '$1"$2 "*)')}`).join("\n")}
    esac
  fi
  if [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ $current != -* ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -o bashdefault -F _countersign countersign`;
}
