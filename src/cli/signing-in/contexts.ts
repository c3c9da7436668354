import { readCommandLineConfig } from "../../config/command-line.ts";
import { openContexts } from "../calling/contexts.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printError, printJson, printLine } from "../output.ts";
import { createTable } from "../table.ts";

/** `countersign context list`. */
export const contextList: Command = {
  name: "context list",
  operands: [],
  summary: "list the services that you have signed in to",
  options: jsonOption,
  async run(input) {
    const contexts = openContexts(readCommandLineConfig().folder);
    const [names, current] = [await contexts.list(), await contexts.current()];
    const table = createTable(["CURRENT", "NAME", "USER", "SERVER"]);
    for (const name of names) {
      const context = await contexts.find(name);
      if (context === null) continue;
      const { server, username } = context;
      if (hasOption(input, "json")) printJson({ name, server, username, current: name === current });
      else table.add([name === current ? "*" : "", name, username, server]);
    }
    if (names.length === 0) printError("You have not signed in anywhere.");
    else if (!hasOption(input, "json")) table.end();
    return 0;
  },
};

/** `countersign context use`. */
export const contextUse: Command = {
  name: "context use",
  operands: ["NAME"],
  summary: "have commands act on the service of this context",
  options: jsonOption,
  async run(input) {
    const [name = ""] = input.operands;
    const contexts = openContexts(readCommandLineConfig().folder);
    const context = await contexts.find(name);
    if (context === null) throw new Error(`There is no context ${name}.`);
    await contexts.use(name);
    if (hasOption(input, "json")) printJson({ name, server: context.server, username: context.username });
    else printLine(`commands act on ${context.server} as ${context.username} from here on`);
    return 0;
  },
};

/** `countersign context remove`. */
export const contextRemove: Command = {
  name: "context remove",
  operands: ["NAME"],
  summary: "forget the tokens of a context; its session goes on: see logout",
  options: jsonOption,
  async run(input) {
    const [name = ""] = input.operands;
    const contexts = openContexts(readCommandLineConfig().folder);
    if (!(await contexts.remove(name))) throw new Error(`There is no context ${name}.`);
    if (hasOption(input, "json")) printJson({ name, removed: true });
    else printLine(`removed the context ${name}`);
    return 0;
  },
};
