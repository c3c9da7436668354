import { readFile, stat } from "node:fs/promises";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit, type YAMLMap } from "yaml";
import { codeOf } from "../../lib/files.ts";
import { findNearest } from "../../lib/nearest.ts";
import { emptyValue, type Field, type Item, toSet, type Value } from "./fields.ts";
import { type Kind, nameOf } from "./kind.ts";
import { kinds } from "./kinds.ts";

/** A file, by its sections: a section that is left out is not looked at. */
export type ConfigFile = ReadonlyMap<Kind, readonly Item[]>;

const bytesMax = 4 * 1024 * 1024;
const version = 1;

/**
 * Reads a file of roles, clients and users.
 *
 * @throws Error with a line for each thing that is wrong
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  return parseConfigFile(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= bytesMax) return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`${path} cannot be read: ${codeOf(error)}.`, { cause: error });
  }
  throw new Error(`${path} has more than ${bytesMax / 1024 / 1024} MiB.`);
}

/** The same for its text. @param path what problems call it @internal for the tests, too */
export function parseConfigFile(text: string, path: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
  });
  const reader = new Reader((node) => `${path}:${node?.range ? lines.linePos(node.range[0]).line : 1}`);
  for (const { message, pos } of document.errors) {
    reader.problems.push(`${path}:${lines.linePos(pos[0]).line}: ${message}`);
  }
  visit(document, {
    Alias(_key, node) {
      reader.complain(node, "aliases are not read: write out what they stand for");
      return visit.BREAK;
    },
  });
  const file = reader.problems.length > 0 ? new Map() : reader.readFile(document.contents);
  if (reader.problems.length === 0) return file;
  throw new Error(reader.problems.slice(0, 50).join("\n"));
}

/** Reads the nodes of a file, and keeps what is wrong with them. */
class Reader {
  readonly problems: string[] = [];
  readonly #placeOf: (node: Node | null) => string;

  constructor(placeOf: (node: Node | null) => string) {
    this.#placeOf = placeOf;
  }

  readFile(contents: Node | null): ConfigFile {
    const file = new Map<Kind, Item[]>();
    if (!isMap(contents)) {
      this.complain(contents, `it must hold "version: ${version}", and sections`);
      return file;
    }
    const sections = new Map(kinds.map((kind) => [kind.section, kind]));
    const names = ["version", ...sections.keys()];
    let isVersioned = false;
    for (const [name, key, value] of this.#pairsOf(contents)) {
      const kind = sections.get(name);
      if (kind !== undefined) file.set(kind, this.#readSection(kind, value));
      else if (name !== "version") this.complain(key, unknown(name, names));
      else {
        isVersioned = isScalar(value) && value.value === version;
        if (!isVersioned) this.complain(value, `the version must be ${version}`);
      }
    }
    if (!isVersioned && this.problems.length === 0) {
      this.complain(contents, `"version: ${version}" is missing`);
    }
    return file;
  }

  #readSection(kind: Kind, node: Node | null): Item[] {
    // A section that is empty in YAML is null.
    if (node === null || (isScalar(node) && node.value === null)) return [];
    if (!isSeq(node)) {
      this.complain(node, `${kind.section} must be a list`);
      return [];
    }
    const items: Item[] = [];
    const seen = new Set<string>();
    for (const each of node.items as (Node | null)[]) {
      if (!isMap(each)) {
        this.complain(each ?? node, `each of ${kind.section} must have fields`);
        continue;
      }
      const item = this.#readItem(kind, each);
      const name = nameOf(kind, item);
      if (seen.has(name) && name !== "") this.complain(each, `${kind.noun} ${name} is there twice`);
      seen.add(name);
      items.push(item);
    }
    return items;
  }

  #readItem(kind: Kind, node: YAMLMap): Item {
    const item: Record<string, Value> = Object.fromEntries(
      Object.entries(kind.fields).map(([name, { type }]) => [name, emptyValue(type)]),
    );
    const given = new Set<string>();
    for (const [name, key, value] of this.#pairsOf(node)) {
      const field = Object.hasOwn(kind.fields, name) ? kind.fields[name] : undefined;
      if (field === undefined) this.complain(key, unknown(name, Object.keys(kind.fields)));
      else {
        item[name] = this.#readValue(name, field, value);
        given.add(name);
      }
    }
    const naming = Object.keys(kind.fields).filter((name) => kind.fields[name]?.isName === true);
    if (naming.filter((name) => given.has(name)).length !== 1) {
      this.complain(node, `${kind.noun} must have ${naming.length > 1 ? "one of " : ""}${naming.join(", ")}`);
    }
    for (const [name, { isRequired }] of Object.entries(kind.fields)) {
      if (isRequired === true && !given.has(name)) this.complain(node, `${kind.noun} must have ${name}`);
    }
    return item;
  }

  #readValue(name: string, { type, isName }: Field, node: Node | null): Value {
    if (type === "texts" || type === "permissions") {
      const texts = isSeq(node) ? node.items.map((each) => (isScalar(each) ? each.value : null)) : [null];
      if (texts.every((text) => typeof text === "string")) return toSet(texts);
      this.complain(node, `${name} must be a list of texts`);
      return [];
    }
    const value = isScalar(node) ? node.value : undefined;
    if (type === "text" && typeof value === "string" && (isName !== true || value !== "")) return value;
    if (type === "switch" && typeof value === "boolean") return value;
    if (type === "number" && Number.isSafeInteger(value)) return value as number;
    const what = { text: "a text: put it in quotes", switch: "true or false", number: "a whole number" }[
      type
    ];
    this.complain(node, `${name} must be ${what}`);
    return emptyValue(type);
  }

  *#pairsOf(map: YAMLMap): Generator<[string, Node, Node | null]> {
    for (const { key, value } of map.items as { key: Node; value: Node | null }[]) {
      if (isScalar(key) && typeof key.value === "string") yield [key.value, key, value];
      else this.complain(key, "the name of a field must be a text");
    }
  }

  complain(node: Node | null, what: string): void {
    this.problems.push(`${this.#placeOf(node)}: ${what}`);
  }
}

function unknown(name: string, known: readonly string[]): string {
  const near = findNearest(name, known);
  const isNear = near !== null && near.distance <= Math.ceil(name.length / 3);
  return `there is no field ${name}${isNear ? `; ${near.text} is meant` : `: ${known.join(", ")} are known`}`;
}
