import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { type FieldRules, Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { compileValue, readSet, requireNoExpression, type ValueType } from "./compile-value.ts";
import { listSizeRules, mapSizeRules } from "./plain-rules.ts";
import { checkAll, type CheckOf, checkRules, type Rule, UnknownRule, type ValueCheck } from "./rule.ts";

type ListField = DescField & { readonly fieldKind: "list" };
type MapField = DescField & { readonly fieldKind: "map" };

/** Compiles the rules of a repeated field: those of the list, then those of each item. @throws UnknownRule */
export function compileList(field: ListField, rules: FieldRules, checkOf: CheckOf): ValueCheck | null {
  const repeated = rules.type.case === "repeated" ? rules.type.value : undefined;
  const comparable = field.listKind === "enum" || (field.listKind === "scalar" && isComparable(field.scalar));
  const size = sizeRules(rules, "repeated", (set) => listSizeRules(set, comparable));
  return checkAll([checkRules(size), checkItems(compileItem(field, repeated?.items, checkOf))]);
}

/** Compiles the rules of a map: those of the map, then those of each key and its value. @throws UnknownRule */
export function compileMap(field: MapField, rules: FieldRules, checkOf: CheckOf): ValueCheck | null {
  const map = rules.type.case === "map" ? rules.type.value : undefined;
  const size = sizeRules(rules, "map", mapSizeRules);
  const key = compileItem({ scalar: field.mapKey }, map?.keys, checkOf);
  // Keys are texts here, whatever their type.
  if (key !== null && field.mapKey !== ScalarType.STRING) throw new UnknownRule("map.keys");
  const isText = field.mapKey === ScalarType.STRING;
  return checkAll([checkRules(size), checkEntries(key, compileItem(field, map?.values, checkOf), isText)]);
}

function sizeRules(
  rules: FieldRules,
  type: string,
  read: (set: ReadonlyMap<string, unknown>) => Rule[],
): Rule[] {
  requireNoExpression(rules);
  if (rules.cel.length > 0) throw new UnknownRule(`${type} with a rule in CEL`);
  return rules.type.case === undefined ? [] : read(readSet(rules, type));
}

function compileItem(type: ValueType, rules: FieldRules | undefined, checkOf: CheckOf): ValueCheck | null {
  if (rules?.ignore === Ignore.ALWAYS) return null;
  if (rules?.required === true || rules?.ignore === Ignore.IF_ZERO_VALUE || rules?.$unknown !== undefined) {
    throw new UnknownRule("a condition for an item");
  }
  return compileValue(type, rules, checkOf);
}

function checkItems(check: ValueCheck | null): ValueCheck | null {
  if (check === null) return null;
  return (list, path, found) => {
    for (const [index, item] of (list as readonly unknown[]).entries()) {
      check(item, `${path}[${index}]`, found);
    }
  };
}

function checkEntries(key: ValueCheck | null, value: ValueCheck | null, isText: boolean): ValueCheck | null {
  const check = checkAll([key, value]);
  if (check === null) return null;
  return (map, path, found) => {
    for (const [name, item] of Object.entries(map as Readonly<Record<string, unknown>>)) {
      const place = `${path}[${isText ? quote(name) : name}]`;
      key?.(name, place, found);
      value?.(item, place, found);
    }
  };
}

/** As `pathToString` of @bufbuild/protobuf writes the key of a map. */
function quote(key: string): string {
  return `"${key.replaceAll(/["\\]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n")}"`;
}

/** Whether two values are equal where `===` says so; NaN and bytes are not. */
function isComparable(scalar: ScalarType): boolean {
  return scalar !== ScalarType.FLOAT && scalar !== ScalarType.DOUBLE && scalar !== ScalarType.BYTES;
}
