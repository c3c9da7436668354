import { toJson } from "@bufbuild/protobuf";
import type { DescField, DescMessage, JsonObject, JsonValue, Message, Registry } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";

/** Writes a message, or one field of it, as the text of an answer. */
export type Presenter = (message: Message) => string;

/** How the JSON of a message is put in order, worked out once. */
interface Arrangement {
  readonly members: readonly Member[];
}

interface Member {
  readonly name: string;
  readonly nullable: boolean;
  /** For the values of a field whose messages must be put in order themselves. */
  readonly arrange: ((json: JsonValue) => JsonValue) | null;
}

/**
 * Gives each message type the function that writes it: ProtoJSON under proto names in declared order,
 * fields with implicit presence always written, unset nullable fields as null, other unset fields
 * left out. 64-bit integers are strings, as ProtoJSON wants.
 *
 * @param isNullable whether an unset field is written as null
 * @param registry the messages that an Any may hold
 */
export function createPresenters(
  isNullable: (field: DescField) => boolean,
  registry: Registry,
): (desc: DescMessage, responseField: DescField | null) => Presenter {
  const arrangementOf = createArrangements(isNullable);
  const writeOptions = { useProtoFieldName: true, alwaysEmitImplicit: true, registry };
  return (desc, responseField) => {
    const needed = needsArrangement(desc, isNullable, new Set());
    const write = (message: Message): JsonValue => {
      const json = toJson(desc, message, writeOptions);
      return needed ? arrange(arrangementOf(desc), json) : json;
    };
    if (responseField === null) {
      return (message) => JSON.stringify(write(message));
    }
    return (message) => JSON.stringify((write(message) as JsonObject)[responseField.name] ?? null);
  };
}

function createArrangements(isNullable: (field: DescField) => boolean): (desc: DescMessage) => Arrangement {
  const arrangements = new Map<DescMessage, Arrangement>();
  const arrangementOf = (desc: DescMessage): Arrangement => {
    const known = arrangements.get(desc);
    if (known !== undefined) {
      return known;
    }
    const members: Member[] = [];
    const arrangement = { members };
    // Registered before it is filled, so that a message that holds itself finds its own.
    arrangements.set(desc, arrangement);
    for (const field of desc.fields) {
      const child = childOf(field);
      members.push({
        name: field.name,
        nullable: isNullable(field),
        arrange:
          child !== undefined && needsArrangement(child, isNullable, new Set())
            ? arrangeField(field, arrangementOf(child))
            : null,
      });
    }
    return arrangement;
  };
  return arrangementOf;
}

/** Whether a message or anything within it has nullable fields, or fields declared out of order. */
function needsArrangement(
  desc: DescMessage,
  isNullable: (field: DescField) => boolean,
  seen: Set<DescMessage>,
): boolean {
  if (seen.has(desc)) {
    return false;
  }
  seen.add(desc);
  return desc.fields.some((field, index) => {
    const child = childOf(field);
    return (
      isNullable(field) ||
      field.number < (desc.fields[index - 1]?.number ?? 0) ||
      (child !== undefined && needsArrangement(child, isNullable, seen))
    );
  });
}

function childOf(field: DescField): DescMessage | undefined {
  const { message } = field;
  return message === undefined || hasCustomJsonRepresentation(message) ? undefined : message;
}

function arrangeField(field: DescField, arrangement: Arrangement): (json: JsonValue) => JsonValue {
  switch (field.fieldKind) {
    case "list":
      return (json) => (json as JsonValue[]).map((item) => arrange(arrangement, item));
    case "map":
      return (json) => {
        const entries = Object.entries(json as JsonObject);
        return Object.fromEntries(entries.map(([key, value]) => [key, arrange(arrangement, value)]));
      };
    default:
      return (json) => arrange(arrangement, json);
  }
}

function arrange({ members }: Arrangement, json: JsonValue): JsonObject {
  const arranged: JsonObject = {};
  for (const { name, nullable, arrange: arrangeValue } of members) {
    const value = (json as JsonObject)[name];
    if (value !== undefined) {
      arranged[name] = arrangeValue === null ? value : arrangeValue(value);
    } else if (nullable) {
      arranged[name] = null;
    }
  }
  return arranged;
}
