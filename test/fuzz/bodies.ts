import { gzipSync } from "node:zlib";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { envelope } from "../security/rpc-calls.ts";
import type { Random } from "./random.ts";
import { anyText, mutate, plainText } from "./texts.ts";

/** What generators may put where a value is wanted that is good. */
export interface Dictionary {
  /** Values that are good for fields of these names. */
  readonly byField: Readonly<Record<string, readonly string[]>>;
  /** Access and refresh tokens. */
  readonly tokens: readonly string[];
  /** Whether this request is as good as can be, so that it gets past the parsers. */
  readonly careful?: boolean;
}

const literals = [
  "null",
  "true",
  "0",
  "-1",
  "1e400",
  "9007199254740993",
  '"x"',
  "[]",
  "{}",
  '"\\ud800"',
  "[[[[1]]]]",
];

/** Fields with texts for them: by their right names mostly, and now and then twice. */
function anyPairs(random: Random, desc: DescMessage, words: Dictionary): [string, string][] {
  if (words.careful === true) return goodPairs(random, desc, words);
  const pairs = desc.fields
    .filter(() => random.chance(0.7))
    .map((field): [string, string] => [nameOf(random, field), valueFor(random, field, words)]);
  const others = random.many(2, (): [string, string] => [
    random.chance(0.5) ? anyText(random) : `${plainText(random)}.${plainText(random)}`,
    anyText(random),
  ]);
  const again = random.chance(0.1) ? pairs.slice(0, 1) : [];
  return random.chance(0.3) ? [...pairs, ...others, ...again] : pairs;
}

function goodPairs(random: Random, desc: DescMessage, { byField }: Dictionary): [string, string][] {
  return desc.fields.flatMap(({ name }): [string, string][] => {
    const values = byField[name] ?? [];
    return values.length === 0 || random.chance(0.1) ? [] : [[name, random.pick(values)]];
  });
}

function nameOf(random: Random, field: DescField): string {
  const own = random.chance(0.8) ? field.name : field.jsonName;
  const inner = field.message?.fields;
  return inner === undefined || inner.length === 0 || random.chance(0.3)
    ? own
    : `${own}.${random.pick(inner).name}`;
}

function valueFor(random: Random, field: DescField, words: Dictionary): string {
  const good = words.byField[field.name] ?? [];
  if (good.length > 0 && random.chance(0.7)) return random.pick(good);
  return random.chance(0.5) ? String(random.below(5)) : anyText(random);
}

/** A form, or the query of an address. */
export function anyForm(random: Random, desc: DescMessage, words: Dictionary): string {
  const write = (text: string): string =>
    random.chance(0.97) ? encodeURIComponent(text.toWellFormed()) : text;
  const pairs = anyPairs(random, desc, words).map(([name, value]) => `${write(name)}=${write(value)}`);
  const broken = random.chance(0.05) ? [random.pick(["=", "&", "a", "%", "%f", "=&=", "a=%ff"])] : [];
  return [...pairs, ...broken].join("&");
}

/** A JSON text: an object for the message mostly. */
export function anyJson(random: Random, desc: DescMessage, words: Dictionary, depth = 0): string {
  if (words.careful === true) return JSON.stringify(Object.fromEntries(goodPairs(random, desc, words)));
  if (random.chance(0.03)) return random.pick(literals);
  if (random.chance(0.01)) return "[".repeat(random.below(3_000));
  const members = desc.fields
    .filter(() => random.chance(0.7))
    .map(
      (field) =>
        `${JSON.stringify(random.chance(0.8) ? field.name : field.jsonName)}:${member(random, field, words, depth)}`,
    );
  const others = random.many(1, () => `${JSON.stringify(anyText(random))}:${random.pick(literals)}`);
  return `{${[...members, ...(random.chance(0.2) ? others : [])].join(",")}}`;
}

function member(random: Random, field: DescField, words: Dictionary, depth: number): string {
  const value =
    field.message !== undefined && depth < 3 && random.chance(0.6)
      ? anyJson(random, field.message, words, depth + 1)
      : random.chance(0.2)
        ? random.pick(literals)
        : JSON.stringify(valueFor(random, field, words));
  return field.fieldKind === "list" && random.chance(0.8) ? `[${value}]` : value;
}

/** A message in the wire format, whose fields mostly have the right types. */
export function anyBinary(random: Random, desc: DescMessage, words: Dictionary): Buffer {
  const numbers = new Map(desc.fields.map((field) => [field.name, field.number]));
  const texts =
    words.careful === true
      ? goodPairs(random, desc, words).map(([name, value]) => [numbers.get(name) ?? 1, value] as const)
      : desc.fields
          .filter(() => random.chance(0.7))
          .map((field) => [anyNumber(random, field), valueFor(random, field, words)] as const);
  return Buffer.concat(
    texts.map(([number, text]) => {
      const bytes = Buffer.from(text);
      return Buffer.concat([varint((number << 3) | 2), varint(bytes.byteLength), bytes]);
    }),
  );
}

function anyNumber(random: Random, field: DescField): number {
  return random.chance(0.95) ? field.number : random.below(40);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** What goes by gRPC and its kin: messages behind prefixes. */
export function anyEnvelopes(random: Random, message: Buffer): Buffer {
  const body = random.chance(0.05) ? gzipSync(message) : message;
  const one = envelope(
    body,
    random.chance(0.9) ? 0 : random.below(256),
    random.chance(0.95) ? body.byteLength : random.below(2 ** 32),
  );
  return random.chance(0.95) ? one : Buffer.concat([one, one]);
}

/** A body as it is meant to be, or one that was damaged. */
export function damage(random: Random, body: Buffer, { careful }: Dictionary): Buffer {
  if (careful === true) return body;
  if (random.chance(0.004)) return Buffer.concat([body, Buffer.alloc(70_000, 0x20)]);
  return random.chance(0.85) ? body : mutate(random, body);
}
