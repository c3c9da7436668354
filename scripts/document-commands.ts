// Writes the table of commands into docs/command-line.md. Usage: node scripts/document-commands.ts OUT_ROOT
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../src/cli/command.ts";
import { commands } from "../src/cli/commands.ts";

const [outRoot] = process.argv.slice(2);
if (outRoot === undefined) throw new Error("name the folder to write below");

const page = "docs/command-line.md";
const [begin, end] = ["<!-- commands: npm run generate -->", "<!-- end of commands -->"];

const actsOn = ({ options }: Command): string => ("local" in options ? "a service, or the stores" : "here");
const rows = commands
  .filter(({ isHidden }) => isHidden !== true)
  .map((command) => {
    const { name, alias, operands, summary } = command;
    const names = [name, ...(alias === undefined ? [] : [alias])].map(
      (each) => `\`${[each, ...operands].join(" ")}\``,
    );
    return `| ${names.join(", ")} | ${summary} | ${actsOn(command)} |`;
  });
const table = ["| command | what it does | acts on |", "| --- | --- | --- |", ...rows].join("\n");

const text = readFileSync(join(import.meta.dirname, "..", page), "utf8");
const [before, rest = ""] = text.split(begin);
const [, after] = rest.split(end);
if (before === undefined || after === undefined) {
  throw new Error(`${page} has no place for the table of commands`);
}
mkdirSync(join(outRoot, "docs"), { recursive: true });
writeFileSync(join(outRoot, page), `${before}${begin}\n\n${table}\n\n${end}${after}`);
