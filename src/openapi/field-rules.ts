import { type DescField, getOption, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  field as fieldRules,
  FieldRulesSchema,
  Ignore,
  type Rule,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** A rule as JSON Schema expresses it, and in words if that is not complete. */
interface Wording {
  readonly keywords: JsonObject;
  readonly sentence?: string;
}

/** The rules of a request field (buf.validate) for its schema. */
export interface SchemaRules {
  readonly required: boolean;
  readonly keywords: JsonObject;
  /** What the keywords do not express, or not exactly. */
  readonly sentences: readonly string[];
}

// UTF-8 takes at most four bytes for a character.
const bytesPerCharacterMax = 4;

/**
 * The rules of types that have a wording, by their names in buf.validate. JSON Schema counts characters,
 * as min_len and max_len do; what is counted in bytes is bounded as closely as characters can be.
 */
const wordings: Readonly<Record<string, (value: number) => Wording>> = {
  "int32.gte": (minimum) => ({ keywords: { minimum } }),
  "int32.lte": (maximum) => ({ keywords: { maximum } }),
  "repeated.min_items": (minItems) => ({ keywords: { minItems } }),
  "repeated.max_items": (maxItems) => ({ keywords: { maxItems } }),
  "string.min_len": (minLength) => ({ keywords: { minLength } }),
  "string.max_len": (maxLength) => ({ keywords: { maxLength } }),
  "string.min_bytes": (bytes) => ({
    keywords: { minLength: Math.ceil(bytes / bytesPerCharacterMax) },
    sentence: `At least ${bytes} bytes of UTF-8.`,
  }),
  "string.max_bytes": (bytes) => ({
    keywords: { maxLength: bytes },
    sentence: `At most ${bytes} bytes of UTF-8.`,
  }),
};

/**
 * Reads the rules of a field.
 *
 * @throws Error that names a rule without a wording: without it the document would say less than
 *   the service enforces
 */
export function readFieldRules(field: DescField): SchemaRules {
  const rules = getOption(field, fieldRules);
  if (rules.ignore === Ignore.ALWAYS) return { required: false, keywords: {}, sentences: [] };
  const wording = [
    ...(rules.required && isTextWithoutPresence(field) ? [{ keywords: { minLength: 1 } }] : []),
    ...typeRules(field, reflect(FieldRulesSchema, rules)),
    ...rules.cel.map(wordExpression),
  ];
  return {
    required: rules.required,
    keywords: Object.assign({}, ...wording.map(({ keywords }) => keywords)) as JsonObject,
    sentences: wording.flatMap(({ sentence }: Wording) => sentence ?? []),
  };
}

function typeRules(field: DescField, rules: ReflectMessage): Wording[] {
  const set = rules.fields.filter((each) => rules.isSet(each));
  return set.flatMap((type) => {
    if (["cel", "required", "ignore"].includes(type.name)) return [];
    if (type.fieldKind !== "message") throw unworded(field, type.name);
    const own = rules.get(type);
    return own.fields
      .filter((rule) => own.isSet(rule))
      .map((rule) => {
        const word = wordings[`${type.name}.${rule.name}`];
        if (word === undefined) throw unworded(field, `${type.name}.${rule.name}`);
        return word(Number(own.get(rule)));
      });
  });
}

// A regular expression, or its opposite, is all that the contract says in CEL.
const matchesForm = /^(!?)this\.matches\('((?:[^'\\]|\\.)*)'\)$/;

/** A rule in CEL: its message in words, and its regular expression where it is nothing but one. */
function wordExpression({ expression, message }: Rule): Wording {
  const [, not, text] = matchesForm.exec(expression) ?? [];
  const sentence = `It ${message}.`;
  if (text === undefined) return { keywords: {}, sentence };
  const pattern = text.replaceAll(/\\(.)/g, "$1");
  return { keywords: not === "!" ? { not: { pattern } } : { pattern }, sentence };
}

/** In proto3 such a field is set if it is not empty. */
function isTextWithoutPresence(field: DescField): boolean {
  return field.scalar === ScalarType.STRING && field.presence === FeatureSet_FieldPresence.IMPLICIT;
}

function unworded(field: DescField, rule: string): Error {
  return new Error(`${field.toString()} has the rule ${rule}, for which src/openapi has no wording`);
}
