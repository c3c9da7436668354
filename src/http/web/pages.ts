import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { lowerAscii, trimOws } from "../../lib/http-text.ts";
import type { Site } from "../../lib/site.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { answerOtherMethods } from "./only-get.ts";
import type { Reply } from "../exchange/reply.ts";

/** One way to send a page: as it is, or compressed. */
interface Representation {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers requests for pages. */
export interface Pages {
  /** Whether there is a page at the path; a trailing slash names the same one. */
  has(path: string): boolean;
  /** @throws AppError method_not_allowed */
  answer(exchange: Exchange): Promise<void>;
}

// Below that a header costs what compression saves.
const compressedBytesMin = 1024;

/**
 * Serves a site. A page is made, and compressed, when it is first asked for, and kept: the paths are all
 * known, so what is kept is bounded. Caches ask every time (no-cache), which costs a 304: nobody sees
 * parts of two releases.
 */
export function createPages(site: Site): Pages {
  const kept = new Map<string, Promise<Representation>>();

  const representationOf = (path: string, compressed: boolean): Promise<Representation> => {
    const name = compressed ? `${path} gzip` : path;
    const known = kept.get(name);
    if (known !== undefined) return known;
    const made = represent(site, path, compressed);
    kept.set(name, made);
    // A page that could not be made is tried again the next time.
    made.catch(() => kept.delete(name));
    return made;
  };

  return {
    has: (path) => site.has(withoutSlash(path)),
    async answer(exchange) {
      if (answerOtherMethods(exchange)) return;
      const compressed = takesGzip(exchange.header("accept-encoding"));
      exchange.reply(choose(await representationOf(withoutSlash(exchange.path), compressed), exchange));
    },
  };
}

async function represent(site: Site, path: string, compressed: boolean): Promise<Representation> {
  const page = site.get(path)?.();
  if (page === undefined) throw new Error(`there is no page at ${path}`);
  const gzipped = compressed && page.body.byteLength >= compressedBytesMin;
  const body = gzipped ? await promisify(gzip)(page.body) : page.body;
  return {
    status: page.status ?? 200,
    body,
    headers: {
      "content-type": page.contentType,
      "cache-control": "public, no-cache",
      etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
      vary: "accept-encoding",
      ...(gzipped ? { "content-encoding": "gzip" } : {}),
      ...page.headers,
    },
  };
}

/** RFC 9110 section 13.1.2: a caller who already has the page does not get it again. */
function choose({ status, body, headers }: Representation, exchange: Exchange): Reply {
  const { etag = "", "cache-control": cacheControl = "", vary = "" } = headers;
  if (status !== 200 || !isKnown(exchange.header("if-none-match"), etag)) return { status, headers, body };
  return { status: 304, headers: { etag, "cache-control": cacheControl, vary }, body: null };
}

// An entity-tag (RFC 9110 section 8.8.3), or nothing, up to the next comma. It may hold commas itself.
const tagForm = /[ \t]*(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")?[ \t]*(?:,|$)/y;

/** Whether an If-None-Match names a page's tag; compared weakly. What is no list of tags names none. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (trimOws(ifNoneMatch) === "*") return true;
  let at = 0;
  while (at < ifNoneMatch.length) {
    tagForm.lastIndex = at;
    const match = tagForm.exec(ifNoneMatch);
    if (match === null) return false;
    if (match[1] === etag) return true;
    at = tagForm.lastIndex;
  }
  return false;
}

/** RFC 9110 section 12.5.3, for the one coding that there is: it is named, or else the wildcard lets it in. */
function takesGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const element of (acceptEncoding ?? "").split(",")) {
    const [, coding = "", weight = "1"] = codingForm.exec(trimOws(element)) ?? [];
    weights.set(lowerAscii(coding), Number(weight));
  }
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}

const codingForm =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/;

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
