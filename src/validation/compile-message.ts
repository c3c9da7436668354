import { type DescField, type DescMessage, type DescOneof, getOption, isFieldSet } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  field as fieldRules,
  type FieldRules,
  Ignore,
  message as messageRules,
  oneof as oneofRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { compileList, compileMap } from "./compile-many.ts";
import { compileValue } from "./compile-value.ts";
import { type CheckOf, type MessageCheck, UnknownRule, type ValueCheck } from "./rule.ts";

/** The members of a message. */
type Members = Readonly<Record<string, unknown>>;

/**
 * Compiles the rules of messages, and of all that they hold, into plain functions. Fields are checked in declared
 * order, each by its own rules first and then by those of its type, and oneofs at the end.
 *
 * @returns a function that throws UnknownRule for a message with a rule that has no plain check
 */
export function createMessageChecks(): CheckOf {
  const known = new Map<DescMessage, MessageCheck | null>();
  const checkOf: CheckOf = (desc) => {
    const check = known.get(desc);
    if (check !== undefined) return check;
    // Nothing of protobuf's own has rules.
    if (desc.typeName.startsWith("google.protobuf.")) return null;
    const checks: MessageCheck[] = [];
    const checkMessage: MessageCheck = (message, prefix, found) => {
      for (const each of checks) each(message, prefix, found);
    };
    // Known before it is filled, so that a message that holds itself finds its own.
    known.set(desc, checkMessage);
    checks.push(...compileMembers(desc, checkOf));
    if (checks.length > 0) return checkMessage;
    known.set(desc, null);
    return null;
  };
  return checkOf;
}

function compileMembers(desc: DescMessage, checkOf: CheckOf): MessageCheck[] {
  const rules = getOption(desc, messageRules);
  const own = [...rules.cel, ...rules.celExpression, ...rules.oneof];
  if (own.length > 0 || rules.$unknown !== undefined) throw new UnknownRule(desc.typeName);
  return [
    ...desc.fields.map((field) => compileField(field, checkOf)).filter((check) => check !== null),
    ...desc.oneofs.filter((oneof) => getOption(oneof, oneofRules).required).map(requireOneof),
  ];
}

function compileField(field: DescField, checkOf: CheckOf): MessageCheck | null {
  const rules = getOption(field, fieldRules);
  if (rules.$unknown !== undefined) throw new UnknownRule(field.name);
  if (rules.ignore === Ignore.ALWAYS) return null;
  const check = whenPresent(field, rules, compileContent(field, rules, checkOf));
  return rules.required ? requireField(field, check) : check;
}

function compileContent(field: DescField, rules: FieldRules, checkOf: CheckOf): ValueCheck | null {
  switch (field.fieldKind) {
    case "list":
      return compileList(field, rules, checkOf);
    case "map":
      return compileMap(field, rules, checkOf);
    default:
      return compileValue(field, rules, checkOf);
  }
}

/** A field that tracks presence is checked where it is set; others are where they are zero, too. */
function whenPresent(field: DescField, rules: FieldRules, check: ValueCheck | null): MessageCheck | null {
  if (check === null) return null;
  const { name, localName, oneof } = field;
  if (oneof !== undefined) {
    return (message, prefix, found) => {
      const { case: chosen, value } = (message as unknown as Record<string, Chosen>)[oneof.localName] ?? {};
      if (chosen === localName) check(value, prefix + name, found);
    };
  }
  if (field.presence === FeatureSet_FieldPresence.IMPLICIT && rules.ignore !== Ignore.IF_ZERO_VALUE) {
    return (message, prefix, found) =>
      check((message as unknown as Members)[localName], prefix + name, found);
  }
  return (message, prefix, found) => {
    if (isFieldSet(message, field)) check((message as unknown as Members)[localName], prefix + name, found);
  };
}

interface Chosen {
  readonly case?: string;
  readonly value?: unknown;
}

/** A field that is missing breaks no other rule. */
function requireField(field: DescField, check: MessageCheck | null): MessageCheck {
  return (message, prefix, found) => {
    if (isFieldSet(message, field)) check?.(message, prefix, found);
    else found.push({ field: prefix + field.name, ruleId: "required", message: "value is required" });
  };
}

function requireOneof({ name, fields }: DescOneof): MessageCheck {
  return (message, prefix, found) => {
    if (fields.some((field) => isFieldSet(message, field))) return;
    const text = "exactly one field is required in oneof";
    found.push({ field: prefix + name, ruleId: "required", message: text });
  };
}
