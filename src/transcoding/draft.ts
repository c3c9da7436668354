import { create } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import type { FieldEntry, MessageTable } from "./message-table.ts";
import { RestError } from "./rest-error.ts";

/** A message that is being filled. */
export interface Draft {
  readonly table: MessageTable;
  readonly message: Message;
  /** The keys of the fields that were given, whatever their values are. */
  readonly given: Set<string>;
  /** The messages within it, by the keys of their fields. */
  readonly children: Map<string, Draft>;
}

type Fields = Record<string, unknown>;

/** An empty message, of which nothing was given. */
export function openDraft(table: MessageTable): Draft {
  return { table, message: create(table.desc), given: new Set(), children: new Map() };
}

/**
 * Sets a field to a value as messages hold it.
 *
 * @throws RestError 400 if another field of its oneof was given
 */
export function setMember({ message, given }: Draft, entry: FieldEntry, value: unknown): void {
  const { key, rivals, field } = entry;
  for (const rival of rivals) {
    if (given.has(rival)) {
      throw new RestError(400, `Only one of the fields of ${field.oneof?.name} may be given.`);
    }
  }
  given.add(key);
  if (field.oneof === undefined) {
    (message as unknown as Fields)[field.localName] = value;
  } else {
    (message as unknown as Fields)[field.oneof.localName] = { case: field.localName, value };
  }
}

/** The value of a field that was given; undefined if it was not. */
export function getMember({ message, given }: Draft, { key, field }: FieldEntry): unknown {
  if (!given.has(key)) {
    return undefined;
  }
  const { localName, oneof } = field;
  return oneof === undefined
    ? (message as unknown as Fields)[localName]
    : ((message as unknown as Fields)[oneof.localName] as { readonly value?: unknown }).value;
}

/** Sets a field to a message that was read by itself. @throws RestError 400 as `setMember` does */
export function setChild(draft: Draft, entry: FieldEntry, child: Draft): void {
  setMember(draft, entry, child.message);
  draft.children.set(entry.key, child);
}

/** The message in a field, made where it is missing. @throws RestError 400 as `setMember` does */
export function childOf(draft: Draft, entry: FieldEntry, table: MessageTable): Draft {
  const present = draft.children.get(entry.key);
  if (present !== undefined) {
    return present;
  }
  const child = openDraft(table);
  setChild(draft, entry, child);
  return child;
}
