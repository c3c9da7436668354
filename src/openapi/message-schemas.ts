import { type DescField, type DescMessage, getOption, hasOption, type JsonObject } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  always_set,
  default_value,
  example,
  in_cookie,
  nullable,
  omit_empty,
  values,
} from "../gen/countersign/v1/options_pb.ts";
import { readOptionValue } from "./examples.ts";
import { readFieldRules } from "./field-rules.ts";
import { readComment } from "./read-comment.ts";
import { plainValue, wellKnownSchema } from "./value-schema.ts";

/** The schemas of the document's messages, each written once and referred to. */
export interface MessageSchemas {
  /** A request message, with the rules of its fields. */
  input(desc: DescMessage): JsonObject;
  /**
   * An answer.
   *
   * @param mayOmit a field that this answer does not always have; a schema of its own then has this name
   */
  output(desc: DescMessage, mayOmit?: { readonly field: string; readonly name: string }): JsonObject;
  /** One field of a request. */
  inputField(field: DescField): JsonObject;
  /** One field of an answer. */
  outputField(field: DescField): JsonObject;
  /** All that was referred to so far, by name. */
  components(): JsonObject;
}

type Direction = "input" | "output";

/** @returns empty schemas, which fill up as messages are asked for */
export function createMessageSchemas(): MessageSchemas {
  const components = new Map<string, { readonly owner: string; schema: JsonObject }>();

  const refer = (desc: DescMessage, direction: Direction, name: string, omitted: string): JsonObject => {
    const owner = `${direction} ${desc.typeName} ${omitted}`;
    const known = components.get(name);
    if (known === undefined) {
      const component = { owner, schema: {} };
      // Registered before it is filled, so that a message that holds itself refers to itself.
      components.set(name, component);
      component.schema = messageSchema(desc, direction, omitted);
    } else if (known.owner !== owner) {
      // The message is used in requests and in answers, which differ in the required fields.
      return refer(desc, direction, `${name}${direction === "input" ? "Input" : "Output"}`, omitted);
    }
    return { $ref: `#/components/schemas/${name}` };
  };

  const messageSchema = (desc: DescMessage, direction: Direction, omitted: string): JsonObject => {
    // Only OAuth's endpoints have an answer of their own, and they use no cookies.
    const fields = desc.fields.map((field) => fieldSchema(field, direction, omitted === ""));
    const required = desc.fields
      .filter((field) => isRequired(field, direction) && field.name !== omitted)
      .map(({ name }) => name);
    return {
      type: "object",
      description: readComment(desc).text,
      ...(required.length === 0 ? {} : { required }),
      properties: Object.fromEntries(desc.fields.map(({ name }, index) => [name, fields[index] ?? {}])),
    };
  };

  const fieldSchema = (field: DescField, direction: Direction, hasCookies = true): JsonObject => {
    const rules = direction === "input" ? readFieldRules(field) : { keywords: {}, sentences: [] };
    const { text } = readComment(field);
    const secret = direction === "input" && field.proto.options?.debugRedact === true;
    const allowed = getOption(field, values);
    const cookie = hasCookies ? cookieWording(field, direction) : null;
    const isNullable = getOption(field, nullable) || cookie?.isNull === true;
    return {
      ...orNull(shapeSchema(field, direction), isNullable),
      ...(secret ? { format: "password" } : {}),
      ...(allowed.length === 0 ? {} : { enum: allowed }),
      ...(cookie?.isOptional === true ? without(rules.keywords, "minLength") : rules.keywords),
      description: [text, ...rules.sentences, ...(cookie === null ? [] : [cookie.sentence])].join(" "),
      ...defaultOf(field),
      ...(hasOption(field, example) ? { examples: [readOptionValue(field, getOption(field, example))] } : {}),
    };
  };

  const shapeSchema = (field: DescField, direction: Direction): JsonObject => {
    const one = field.message === undefined ? undefined : messageValue(field.message, direction);
    const schema = one ?? plainValue(field).schema;
    if (field.fieldKind === "list") return { type: "array", items: schema };
    if (field.fieldKind === "map") return { type: "object", additionalProperties: schema };
    return schema;
  };

  const messageValue = (desc: DescMessage, direction: Direction): JsonObject | undefined =>
    wellKnownSchema(desc) === undefined ? refer(desc, direction, desc.name, "") : undefined;

  return {
    input: (desc) => refer(desc, "input", desc.name, ""),
    output: (desc, mayOmit) =>
      wellKnownSchema(desc)?.schema ??
      refer(desc, "output", mayOmit?.name ?? desc.name, mayOmit?.field ?? ""),
    inputField: (field) => fieldSchema(field, "input"),
    outputField: (field) => fieldSchema(field, "output"),
    components: () =>
      Object.fromEntries(
        [...components].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, { schema }]) => [name, schema]),
      ),
  };
}

/** How an answer shows the field when a cookie holds it; null if no cookie ever does. */
interface CookieWording {
  readonly isOptional: boolean;
  readonly isNull: boolean;
  readonly sentence: string;
}

function cookieWording(field: DescField, direction: Direction): CookieWording | null {
  if (!getOption(field, in_cookie)) return null;
  if (direction === "input") {
    const sentence = "A browser that keeps it in a cookie (`X-Auth-Mode`) leaves it out.";
    return { isOptional: true, isNull: false, sentence };
  }
  const isNull = isRequired(field, direction);
  const sentence = `${isNull ? "Null" : "Left out"} if it is set in a cookie (\`X-Auth-Mode\`).`;
  return { isOptional: false, isNull, sentence };
}

function without(keywords: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(keywords).filter(([key]) => key !== name));
}

/**
 * The default of a field, if the contract gives one. An empty text that means "none" is no default: code
 * generators treat a field with a default as always present.
 */
function defaultOf(field: DescField): JsonObject {
  if (!hasOption(field, default_value)) return {};
  return { default: readOptionValue(field, getOption(field, default_value)) };
}

/** What an answer always has, and what a request must have. */
function isRequired(field: DescField, direction: Direction): boolean {
  if (direction === "input") return readFieldRules(field).required && !getOption(field, in_cookie);
  if (hasOption(field, default_value) || getOption(field, omit_empty)) return false;
  const tracksPresence = field.presence === FeatureSet_FieldPresence.EXPLICIT;
  return !tracksPresence || getOption(field, nullable) || getOption(field, always_set);
}

function orNull(schema: JsonObject, isNullable: boolean): JsonObject {
  if (!isNullable) return schema;
  const { type } = schema;
  return typeof type === "string"
    ? { ...schema, type: [type, "null"] }
    : { anyOf: [schema, { type: "null" }] };
}
