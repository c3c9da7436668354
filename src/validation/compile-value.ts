import { type DescEnum, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { type FieldRules, FieldRulesSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { boolRules, bytesRules, enumRules, integerRules } from "./plain-rules.ts";
import { type CheckOf, checkRules, type Rule, UnknownRule, type ValueCheck } from "./rule.ts";
import { celTextRule, textRules } from "./text-rules.ts";

/** What a value is: of a singular field, or of a list's or map's items. */
export interface ValueType {
  readonly scalar?: ScalarType | undefined;
  readonly enum?: DescEnum | undefined;
  readonly message?: DescMessage | undefined;
  /** Whether 64-bit integers are held as texts. */
  readonly longAsString?: boolean;
}

/**
 * Compiles the rules of one value.
 *
 * @param rules undefined where nothing is said of it
 * @throws UnknownRule
 */
export function compileValue(
  type: ValueType,
  rules: FieldRules | undefined,
  checkOf: CheckOf,
): ValueCheck | null {
  if (type.message !== undefined) return compileMessageValue(type.message, rules, checkOf);
  if (rules === undefined) return null;
  requireNoExpression(rules);
  const cel = rules.cel.map((each) => {
    if (type.scalar !== ScalarType.STRING) throw new UnknownRule(each.id);
    return celTextRule(each);
  });
  return checkRules([...cel, ...typeRules(type, rules)]);
}

function compileMessageValue(
  desc: DescMessage,
  rules: FieldRules | undefined,
  checkOf: CheckOf,
): ValueCheck | null {
  if (rules !== undefined) {
    requireNoExpression(rules);
    if (rules.cel.length > 0 || rules.type.case !== undefined) throw new UnknownRule(desc.typeName);
  }
  const check = checkOf(desc);
  if (check === null) return null;
  return (value, path, found) => check(value as Message, `${path}.`, found);
}

function typeRules(type: ValueType, rules: FieldRules): Rule[] {
  if (rules.type.case === undefined) return [];
  const expected = type.enum !== undefined ? "enum" : scalarNames.get(type.scalar ?? ScalarType.STRING);
  const set = readSet(rules, expected);
  if (type.enum !== undefined) return enumRules(type.enum, set);
  switch (type.scalar) {
    case ScalarType.STRING:
      return textRules(set);
    case ScalarType.BOOL:
      return boolRules(set);
    case ScalarType.BYTES:
      return bytesRules(set);
    default:
      if (type.longAsString === true) throw new UnknownRule(`${expected} as a text`);
      return integerRules(expected ?? "", set);
  }
}

// Without float and double, whose bounds have a word to say on NaN.
const scalarNames: ReadonlyMap<ScalarType, string> = new Map([
  [ScalarType.STRING, "string"],
  [ScalarType.BOOL, "bool"],
  [ScalarType.BYTES, "bytes"],
  [ScalarType.INT32, "int32"],
  [ScalarType.INT64, "int64"],
  [ScalarType.UINT32, "uint32"],
  [ScalarType.UINT64, "uint64"],
  [ScalarType.SINT32, "sint32"],
  [ScalarType.SINT64, "sint64"],
  [ScalarType.FIXED32, "fixed32"],
  [ScalarType.FIXED64, "fixed64"],
  [ScalarType.SFIXED32, "sfixed32"],
  [ScalarType.SFIXED64, "sfixed64"],
]);

/**
 * The rules of a type that are set, by their proto names, in declared order.
 *
 * @param type the only type of rules that fits, as FieldRules names it
 * @throws UnknownRule for rules of another type, and for predefined ones, which are extensions
 */
export function readSet(rules: FieldRules, type: string | undefined): ReadonlyMap<string, unknown> {
  const own = reflect(FieldRulesSchema, rules);
  const set = own.fields.find((field) => field.name === type && own.isSet(field));
  if (set?.fieldKind !== "message") throw new UnknownRule(rules.type.case);
  const typed: ReflectMessage = own.get(set);
  if (typed.message.$unknown !== undefined) throw new UnknownRule(`${type} with a predefined rule`);
  return new Map(
    typed.fields
      .filter((field) => typed.isSet(field))
      .map((field) => [field.name, field.fieldKind === "list" ? [...typed.get(field)] : typed.get(field)]),
  );
}

/** An expression without an id of its own has no plain check. @throws UnknownRule */
export function requireNoExpression({ celExpression }: FieldRules): void {
  if (celExpression.length > 0) throw new UnknownRule("cel_expression");
}
