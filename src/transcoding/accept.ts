import { parseMediaType, splitList } from "./media-type.ts";

/** The ways to write a stream of messages as JSON. */
export type StreamFormat = "ndjson" | "sse" | "array";

/** The media type of each. */
export const streamTypes = {
  ndjson: "application/x-ndjson",
  sse: "text/event-stream",
  array: "application/json",
} as const satisfies Readonly<Record<StreamFormat, string>>;

/** A media range of an Accept header, with its weight from 0 to 1. */
interface MediaRange {
  readonly name: string;
  readonly weight: number;
}

const json = "application/json";

/**
 * The media type under which a caller with this Accept header gets JSON (RFC 9110 section 12.5.1): `application/json`,
 * or another of the answer's types where the caller prefers it. A header that is missing, empty or unreadable asks for
 * nothing, and ranges that cannot be read are passed over.
 *
 * @param others types that the answer has beside `application/json`
 * @returns null when the header excludes every one of them
 */
export function negotiateJson(accept: string | undefined, others: readonly string[]): string | null {
  return accept === undefined || accept === "*/*" || accept === json
    ? json
    : choose(parseAccept(accept), [json, ...others]);
}

// Which of them is taken where the caller has no preference.
const streamFormats: readonly StreamFormat[] = ["ndjson", "sse", "array"];

/**
 * How a stream is written for a caller with this Accept header: as the type with the greatest weight,
 * one that is named before one that a wildcard lets in, newline-delimited JSON before the others.
 *
 * @returns null when the header excludes every one of them
 */
export function negotiateStream(accept: string | undefined): StreamFormat | null {
  const ranges = accept === undefined ? [] : parseAccept(accept);
  const type = choose(
    ranges,
    streamFormats.map((format) => streamTypes[format]),
  );
  return streamFormats.find((format) => streamTypes[format] === type) ?? null;
}

/** The first of the types that the caller prefers; the first of all if no range can be read. */
function choose(ranges: readonly MediaRange[], types: readonly string[]): string | null {
  if (ranges.length === 0) {
    return types[0] ?? null;
  }
  let best: string | null = null;
  let bestPreference: Preference = { weight: 0, rank: 0 };
  for (const type of types) {
    const preference = preferenceFor(ranges, type);
    const { weight, rank } = preference;
    const isBetter =
      weight > bestPreference.weight || (weight === bestPreference.weight && rank > bestPreference.rank);
    if (weight > 0 && isBetter) {
      best = type;
      bestPreference = preference;
    }
  }
  return best;
}

/**
 * The media type for a problem (RFC 9457 section 3): `application/json` for a caller whose Accept
 * header names that and not `application/problem+json`; a wildcard names neither.
 */
export function negotiateProblemType(
  accept: string | undefined,
): "application/problem+json" | "application/json" {
  const ranges = accept === undefined ? [] : parseAccept(accept);
  const json = weightOf(ranges, "application/json") ?? 0;
  const problem = weightOf(ranges, "application/problem+json") ?? 0;
  return json > 0 && problem === 0 ? "application/json" : "application/problem+json";
}

/** Whether an Accept header names `application/problem+json`, and wants it. */
export function namesProblem(accept: string | undefined): boolean {
  return accept !== undefined && (weightOf(parseAccept(accept), "application/problem+json") ?? 0) > 0;
}

/** What a header says about a media type. */
interface Preference {
  readonly weight: number;
  /** 2 when the type is named, 1 and 0 for the wildcards. */
  readonly rank: number;
}

/** The most specific range decides (RFC 9110 section 12.5.1); what none of them covers has no weight. */
function preferenceFor(ranges: readonly MediaRange[], name: string): Preference {
  const kind = name.slice(0, name.indexOf("/"));
  for (const [index, range] of [name, `${kind}/*`, "*/*"].entries()) {
    const weight = weightOf(ranges, range);
    if (weight !== undefined) {
      return { weight, rank: 2 - index };
    }
  }
  return { weight: 0, rank: 0 };
}

function parseAccept(accept: string): MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const part of splitList(accept)) {
    const range = parseMediaType(part);
    if (range !== null && (range.type !== "*" || range.subtype === "*")) {
      ranges.push({ name: `${range.type}/${range.subtype}`, weight: readWeight(range.parameters) });
    }
  }
  return ranges;
}

function weightOf(ranges: readonly MediaRange[], name: string): number | undefined {
  let weight: number | undefined;
  for (const range of ranges) {
    if (range.name === name) {
      weight = Math.max(weight ?? 0, range.weight);
    }
  }
  return weight;
}

function readWeight(parameters: readonly (readonly [string, string])[]): number {
  const q = parameters.find(([name]) => name === "q")?.[1];
  // More digits than RFC 9110 section 12.4.2 allows do no harm; what is not a number counts as unsaid.
  return q !== undefined && /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/.test(q) ? Math.min(Number(q), 1) : 1;
}
