import { invalidFields } from "../../errors/invalid.ts";
import { decodeBase64Url } from "../../lib/base64.ts";
import { hashJson } from "../../lib/hash-json.ts";

/** A page that is asked for. */
export interface Page {
  readonly size: number;
  /** The position of the last item before it, as `presentPage` was given it; null for the first page. */
  readonly after: readonly string[] | null;
}

/** What a list RPC is asked for. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

const defaultPageSize = 50;
const digestBytes = 8;

/**
 * Reads which page a list RPC is asked for.
 *
 * @param conditions all that selects and orders the items, as JSON can hold it: a token is good with these alone
 * @throws AppError validation_failed for a token that this list did not answer
 */
export function readPage({ pageSize, pageToken }: PageRequest, conditions: unknown): Page {
  const size = pageSize === 0 ? defaultPageSize : pageSize;
  if (pageToken === "") return { size, after: null };
  const after = createPositionTokens(conditions).read(pageToken);
  if (after === null) throw notOurs();
  return { size, after };
}

/**
 * The token of the page after these items.
 *
 * @param found the items of this page, and one more if there is any: ask for `size + 1`
 * @param positionOf where an item stands in the list's order
 * @returns the page, and its next_page_token: empty where it is the last
 */
export function presentPage<Item>(
  found: readonly Item[],
  { size }: Page,
  conditions: unknown,
  positionOf: (item: Item) => readonly string[],
): { readonly items: readonly Item[]; readonly nextPageToken: string } {
  const items = found.slice(0, size);
  const last = found.length > size ? items.at(-1) : undefined;
  if (last === undefined) return { items, nextPageToken: "" };
  return { items, nextPageToken: createPositionTokens(conditions).write(positionOf(last)) };
}

/** Texts for callers that stand for positions. They are no secrets: whoever makes one up reads nothing else by it. */
export interface PositionTokens {
  write(position: readonly string[]): string;
  /** The position; null for a text that was not written for the same conditions. What it holds must be checked. */
  read(token: string): readonly string[] | null;
}

/** @param conditions all that selects and orders what has positions, as JSON can hold it */
export function createPositionTokens(conditions: unknown): PositionTokens {
  const digest = hashJson(conditions).subarray(0, digestBytes).toString("base64url");
  return {
    write: (position) => Buffer.from(JSON.stringify([digest, ...position])).toString("base64url"),
    read(token) {
      const [found, ...position] = parseTexts(decodeBase64Url(token)?.toString() ?? "");
      return found === digest ? position : null;
    },
  };
}

/** An array of texts; an empty one for whatever else is shown. */
function parseTexts(json: string): string[] {
  try {
    const parsed: unknown = JSON.parse(json);
    if (!Array.isArray(parsed)) return [];
    return parsed.every((each): each is string => typeof each === "string") ? parsed : [];
  } catch {
    return [];
  }
}

/** The failure of a page_token that no answer of this list had. */
export function notOurs(): Error {
  const detail = "must be the next_page_token of an answer to the same request";
  return invalidFields([{ field: "page_token", code: "bad_form", detail }]);
}
