import { type Command, UsageError } from "./command.ts";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import { zshCompletion } from "./completion/zsh.ts";
import { printText } from "./output.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `countersign completion`. */
export const completionCommand: Command = {
  name: "completion",
  operands: ["SHELL"],
  summary: "print a script that completes commands and options: bash, zsh or fish",
  details: [
    "  source <(countersign completion bash)",
    "  source <(countersign completion zsh)",
    "  countersign completion fish | source",
    "",
    "The line goes into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish.",
  ],
  options: {},
  async run({ operands: [shell = ""] }) {
    if (!isShell(shell)) throw new UsageError(`The shell must be one of ${Object.keys(scripts).join(", ")}.`);
    const { commands } = await import("./commands.ts");
    printText(scripts[shell](commands.filter(({ isHidden }) => isHidden !== true)));
    return 0;
  },
};

function isShell(text: string): text is keyof typeof scripts {
  return Object.hasOwn(scripts, text);
}
