import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Parameter } from "./form.ts";
import type { FieldEntry, MessageTable } from "./message-table.ts";
import { createTree, setMember } from "./read-json.ts";
import { fieldRefused, unknownRefused } from "./rest-error.ts";

/** How many parts of a dotted name are looked at; longer names are unknown. */
const nameDepthMax = 32;

/** A field that a dotted name stands for. */
export interface FieldTarget {
  /** The messages on the way, outermost first. */
  readonly parents: readonly FieldEntry[];
  readonly entry: FieldEntry;
  /** The path in proto names. */
  readonly path: string;
}

/** The result of looking up a dotted name. */
export interface Resolution {
  /** The message in which the last name looked at was sought: its leniency counts. */
  readonly owner: MessageTable;
  /** Null when there is no such field, or it is not one that a parameter can hold. */
  readonly target: FieldTarget | null;
}

/**
 * Finds the field that a dotted name stands for. Every part may be a proto name or a JSON name; all
 * but the last must be single messages, and the last a leaf or a list of leaves.
 */
export function resolveName(root: MessageTable, name: string): Resolution {
  const parents: FieldEntry[] = [];
  // One part more than are looked at, so that a cut name cannot pass for a whole one.
  const parts = name.includes(".") ? name.split(".", nameDepthMax + 1) : [name];
  let owner = root;
  let prefix = "";
  for (const part of parts.slice(0, nameDepthMax)) {
    const entry = owner.fields.get(part);
    if (entry === undefined || entry.shape === "map" || entry.content.kind === "opaque") {
      break;
    }
    if (entry.content.kind === "leaf") {
      const isLast = parents.length === parts.length - 1;
      return { owner, target: isLast ? { parents, entry, path: prefix + entry.field.name } : null };
    }
    if (entry.shape === "list") {
      break;
    }
    parents.push(entry);
    prefix += `${entry.field.name}.`;
    owner = entry.content.table;
  }
  return { owner, target: null };
}

/**
 * Reads query or form parameters into the tree of a message.
 *
 * @param tree changed in place
 * @param prefix the path of the message in the request, with its last dot; empty for the request itself
 * @param taken paths (from this message) that the route fills otherwise: naming them is refused
 * @throws RestError 400
 */
export function readParameters(
  tree: JsonObject,
  table: MessageTable,
  parameters: readonly Parameter[],
  prefix: string,
  taken: (path: string) => boolean,
): void {
  for (const [name, value] of parameters) {
    const { owner, target } = resolveName(table, name);
    if (target === null) {
      if (!owner.lenient) {
        throw unknownRefused(prefix, name, "The request has a parameter that is not known.");
      }
    } else if (taken(target.path)) {
      throw fieldRefused(prefix + target.path, "misplaced", "may not be given as a parameter here");
    } else if (value !== "" || !owner.lenient) {
      // RFC 6749 section 3.2: what has no value counts as left out, and so does not count twice either.
      addParameter(tree, target, value, prefix + target.path);
    }
  }
}

/** Reads a text as the value of a field. @throws RestError 400 */
export function readText(entry: FieldEntry, text: string, path: string): JsonValue {
  const value = entry.content.kind === "leaf" ? entry.content.leaf.fromText(text) : undefined;
  if (value === undefined) {
    throw fieldRefused(path, "wrong_type", "does not hold a valid value");
  }
  return value;
}

/** The object that holds a field, made on the way where it is missing. */
export function parentOf(tree: JsonObject, target: FieldTarget): JsonObject {
  let object = tree;
  for (const parent of target.parents) {
    let child = object[parent.key] as JsonObject | undefined;
    if (child === undefined) {
      child = createTree();
      setMember(object, parent, child);
    }
    object = child;
  }
  return object;
}

function addParameter(tree: JsonObject, target: FieldTarget, text: string, path: string): void {
  const value = readText(target.entry, text, path);
  const object = parentOf(tree, target);
  const present = object[target.entry.key];
  if (present === undefined) {
    setMember(object, target.entry, target.entry.shape === "list" ? [value] : value);
  } else if (target.entry.shape === "list") {
    (present as JsonValue[]).push(value);
  } else {
    throw fieldRefused(path, "given_twice", "is given twice");
  }
}
