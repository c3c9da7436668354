import { parseMediaType, splitList } from "./media-type.ts";

/** A media range of an Accept header, with its weight from 0 to 1. */
interface MediaRange {
  readonly name: string;
  readonly weight: number;
}

/**
 * Whether a caller with this Accept header takes `application/json` (RFC 9110 section 12.5.1).
 * The most specific range decides. A header that is missing, empty or unreadable asks for nothing,
 * and ranges that cannot be read are passed over.
 */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === "*/*" || accept === "application/json") {
    return true;
  }
  const ranges = parseAccept(accept);
  if (ranges.length === 0) {
    return true;
  }
  for (const name of ["application/json", "application/*", "*/*"]) {
    const weight = weightOf(ranges, name);
    if (weight !== undefined) {
      return weight > 0;
    }
  }
  return false;
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
  return q !== undefined && /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(q) ? Math.min(Number(q), 1) : 1;
}
