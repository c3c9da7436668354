import { readFileSync } from "node:fs";
import { listVariables, type Values, type VariableName } from "./variables.ts";

/** The values of the environment, and everything that is wrong with them. */
export interface Reading {
  readonly values: Values;
  /** Sentences; no value is repeated in one. */
  readonly problems: readonly string[];
  /** The variables that hold something, good or bad, by themselves or through a file. */
  readonly given: ReadonlySet<VariableName>;
  /** Those of them that cannot be read; `values` holds their defaults. */
  readonly broken: ReadonlySet<VariableName>;
}

type Text = { readonly text: string; readonly label: string } | { readonly problem: string };

type Strip = (text: string) => string;

/** Removes white space around a value: it comes from a mistake in a file or a secret, and cannot be seen. */
const stripSpace: Strip = (text) => text.replaceAll(/^[\s\u200b]+|[\s\u200b]+$/gu, "");
const stripLineBreaks: Strip = (text) => text.replace(/[\r\n]+$/, "");

/** Reads every variable. An empty value counts as unset. */
export function readValues(env: NodeJS.ProcessEnv): Reading {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  const given = new Set<VariableName>();
  const broken = new Set<VariableName>();
  for (const { name, schema, fallback, secret, exact } of listVariables()) {
    const strip = exact === true ? stripLineBreaks : stripSpace;
    const found = secret === true ? readSecret(env, name, strip) : readPlain(env, name, strip);
    const problem =
      found === null ? null : "problem" in found ? found.problem : read(name, schema, found, values);
    if (found !== null) given.add(name);
    if (problem !== null) {
      problems.push(problem);
      broken.add(name);
    }
    if (!(name in values) && fallback !== null) {
      const fault = read(name, schema, { text: fallback, label: `the default of ${name}` }, values);
      if (fault !== null) throw new Error(fault);
    }
  }
  return { values, problems, given, broken };
}

/** @returns what is wrong with the text, or null if its value was added */
function read(
  name: VariableName,
  schema: ReturnType<typeof listVariables>[number]["schema"],
  { text, label }: { readonly text: string; readonly label: string },
  values: Record<string, unknown>,
): string | null {
  const result = schema.read(text);
  if (result === null) return `${label} ${schema.message}.`;
  values[name] = result.value;
  return null;
}

function readPlain(env: NodeJS.ProcessEnv, name: string, strip: Strip): Text | null {
  const given = env[name] ?? "";
  if (given === "") return null;
  const text = strip(given);
  return text === "" ? { problem: `${name} holds nothing but white space.` } : { text, label: name };
}

/** A secret stands in the variable itself, or in the file that NAME_FILE names. */
function readSecret(env: NodeJS.ProcessEnv, name: string, strip: Strip): Text | null {
  const plain = readPlain(env, name, strip);
  const path = stripSpace(env[`${name}_FILE`] ?? "");
  if (path === "") return plain;
  if (plain !== null) return { problem: `${name} and ${name}_FILE must not both be set.` };
  return readSecretFile(path, name, strip);
}

function readSecretFile(path: string, name: string, strip: Strip): Text {
  try {
    const text = strip(new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)));
    // If an empty file counted as unset, an embedded database would start in place of the intended one.
    if (text === "") return { problem: `${name}_FILE names a file that is empty.` };
    return { text, label: `${name}, from ${name}_FILE,` };
  } catch (error) {
    const code = Error.isError(error) && "code" in error ? String(error.code) : "";
    const reason =
      code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "is not UTF-8 text" : `cannot be read (${code})`;
    return { problem: `${name}_FILE names a file that ${reason}.` };
  }
}
