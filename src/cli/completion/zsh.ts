import type { Command } from "../command.ts";
import { bashCompletion } from "./bash.ts";

/** A script for zsh, which runs completions of bash. */
export function zshCompletion(commands: readonly Command[]): string {
  return `# Completes countersign in zsh: source <(countersign completion zsh)
autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
${bashCompletion(commands)}`;
}
