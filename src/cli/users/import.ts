import { byOperator } from "../../domain/audit/audit-event.ts";
import type { RecordProblem } from "../../domain/user/moving/user-record.ts";
import { type Command, hasOption, jsonOption, stringOption, stringOptions } from "../command.ts";
import { formatNames, readRecordsOf } from "../moving/formats.ts";
import { createProgress } from "../moving/progress.ts";
import { printError, printJson, printLine } from "../output.ts";
import { withCore } from "../with-core.ts";

/** `countersign user import`. */
export const userImport: Command = {
  name: "user import",
  operands: ["FILE"],
  operandForm: /^-$/,
  summary: "bring users in from a file, with ids, fields and password hashes",
  details: [
    "A user needs a name or an address; the other members may be left out.",
    "Users who are there already are left as they are: a run that was cut off may be",
    "repeated. A line for each refused record goes to standard error, with --json to",
    "standard output. FILE may be -, for standard input. docs/moving has a page for each",
    "system that users come from.",
    "",
    "  countersign user import realm.json --format keycloak --dry-run",
  ],
  options: {
    format: { value: "FORMAT", help: `${formatNames.join(", ")}; ndjson by default` },
    "dry-run": { help: "check all, and keep nothing" },
    "without-passwords": { help: "leave the password hashes out" },
    hashes: { value: "FILE", help: "auth0: the file of password hashes" },
    "hash-config": { value: "FILE", help: "firebase: the password hash parameters of the project" },
    "keep-role": {
      value: "ROLE",
      multiple: true,
      help: "keycloak: take this role over, although it means something here",
    },
    ...jsonOption,
  },
  async run(input) {
    const [path = ""] = input.operands;
    const [isJson, isDryRun] = [hasOption(input, "json"), hasOption(input, "dry-run")];
    const progress = await createProgress(path);
    const options = {
      hashes: stringOption(input, "hashes"),
      hashConfig: stringOption(input, "hash-config"),
      withoutPasswords: hasOption(input, "without-passwords"),
      keptRoles: stringOptions(input, "keep-role"),
    };
    const lines = await readRecordsOf(
      path,
      stringOption(input, "format") ?? "ndjson",
      options,
      progress.onBytes,
    );
    const counts = await withCore(async ({ importUsers }) => {
      try {
        return await importUsers(lines, {
          by: byOperator,
          isDryRun,
          onProgress: progress.onCounts,
          onRefused(line, problem) {
            progress.end();
            if (isJson) printJson({ line, ...problem });
            else printError(describeRefusal(line, problem));
          },
        });
      } finally {
        progress.end();
      }
    });
    const { created, existing, refused } = counts;
    if (isJson) printJson(counts);
    else {
      const verb = isDryRun ? "would be created" : "created";
      printLine(`${created} ${verb}, ${existing} there already, ${refused} refused`);
    }
    return refused === 0 ? 0 : 1;
  },
};

function describeRefusal(line: number, { field, code, detail }: RecordProblem): string {
  return `line ${line}: ${field === "" ? "the record" : field} ${detail} (${code})`;
}
