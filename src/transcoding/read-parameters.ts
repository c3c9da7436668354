import { childOf, type Draft, getMember, setMember } from "./draft.ts";
import type { Parameter } from "./form.ts";
import type { FieldEntry, MessageTable } from "./message-table.ts";
import { fieldRefused, unknownRefused } from "./rest-error.ts";

/** How many parts of a dotted name are looked at; longer names are unknown. */
const nameDepthMax = 32;

interface Parent {
  readonly entry: FieldEntry;
  readonly table: MessageTable;
}

/** A field that a dotted name stands for. */
export interface FieldTarget {
  /** The fields on the way, outermost first, with their messages. */
  readonly parents: readonly Parent[];
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
  const parents: Parent[] = [];
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
    parents.push({ entry, table: entry.content.table });
    prefix += `${entry.field.name}.`;
    owner = entry.content.table;
  }
  return { owner, target: null };
}

/**
 * Reads query or form parameters into a message.
 *
 * @param prefix the path of the message in the request, with its last dot; empty for the request itself
 * @param taken paths (from this message) that the route fills otherwise: naming them is refused
 * @throws RestError 400
 */
export function readParameters(
  draft: Draft,
  parameters: readonly Parameter[],
  prefix: string,
  taken: (path: string) => boolean,
): void {
  for (const [name, value] of parameters) {
    const { owner, target } = resolveName(draft.table, name);
    if (target === null) {
      if (!owner.lenient) {
        throw unknownRefused(prefix, name, "The request has a parameter that is not known.");
      }
    } else if (taken(target.path)) {
      throw fieldRefused(prefix + target.path, "misplaced", "may not be given as a parameter here");
    } else if (value !== "" || !owner.lenient) {
      // RFC 6749 section 3.2: what has no value counts as left out, and so does not count twice either.
      addParameter(draft, target, value, prefix + target.path);
    }
  }
}

/** Reads a text as the value of a field. @throws RestError 400 */
export function readText(entry: FieldEntry, text: string, path: string): unknown {
  const value = entry.content.kind === "leaf" ? entry.content.leaf.fromText(text) : undefined;
  if (value === undefined) {
    throw fieldRefused(path, "wrong_type", "does not hold a valid value");
  }
  return value;
}

/** The message that holds a field, made on the way where it is missing. */
export function parentOf(draft: Draft, target: FieldTarget): Draft {
  let parent = draft;
  for (const { entry, table } of target.parents) {
    parent = childOf(parent, entry, table);
  }
  return parent;
}

function addParameter(draft: Draft, target: FieldTarget, text: string, path: string): void {
  const { entry } = target;
  const value = readText(entry, text, path);
  const parent = parentOf(draft, target);
  const present = getMember(parent, entry);
  if (present === undefined) {
    setMember(parent, entry, entry.shape === "list" ? [value] : value);
  } else if (entry.shape === "list") {
    (present as unknown[]).push(value);
  } else {
    throw fieldRefused(path, "given_twice", "is given twice");
  }
}
