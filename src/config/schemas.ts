import { isIP } from "node:net";
import { deflateRawSync } from "node:zlib";
import { parseDurationMs } from "../lib/duration.ts";
import { parseCidrs } from "../lib/ip-address.ts";
import { parseRate, type Rate } from "../lib/rate.ts";
import { parseRedisUrl } from "../lib/redis-url.ts";
import { isScopeToken } from "../lib/scope-token.ts";

/** How a variable's text becomes its value. */
export interface Schema<T> {
  /** What a text must be: it continues the variable's name. It repeats no value. */
  readonly message: string;
  /** The value of a text; null if the text is not what it must be. */
  read(text: string): { readonly value: T } | null;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

function refined<T>(parse: (text: string) => T | null, message: string): Schema<T> {
  const read: Schema<T>["read"] = (text) => {
    const value = parse(text);
    return value === null ? null : { value };
  };
  return { message, read };
}

/** Decimal digits alone: no sign, no unit, no white space. */
export function integer(min: number, max: number): Schema<number> {
  return refined(
    (text) => (/^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : null),
    `must be a whole number from ${min} to ${max}`,
  );
}

/** @param range the limits in words */
function durationMs(minMs: number, maxMs: number, range: string): Schema<number> {
  return refined((text) => {
    const value = parseDurationMs(text);
    return value !== null && value >= minMs && value <= maxMs ? value : null;
  }, `must be a duration with its unit (ms, s, m, h, d), ${range}`);
}

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[]): Schema<Word> {
  return refined((text) => words.find((word) => word === text) ?? null, `must be one of ${words.join(", ")}`);
}

const workersMax = 64;

/** Processes that serve one port: a number, or as many as there are cores. */
export const workerCount = refined((text) => {
  if (text === "auto") return text;
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= workersMax ? count : null;
}, `must be a whole number from 1 to ${workersMax}, or auto`);

/** Any text, as it is. */
export const anyText = refined((text) => text, "may be any text");

/** A password that a person types. */
export const passwordText = refined(
  (text) => (/[\r\n]/.test(text) ? null : text),
  "must not hold a line break, which nobody could type",
);

/** A name or a path. */
export const trimmedText = refined(
  (text) => (/\p{Cc}/u.test(text) ? null : text),
  "must not hold control characters",
);

/** true or false. */
export const onOrOff = refined(
  (text) => (text === "on" ? true : text === "off" ? false : null),
  "must be on or off",
);

/** For how long a request waits if it can also do without. */
export const shortTimeoutMs = durationMs(10, 10_000, "from 10ms to 10s");
/** For how long a caller waits. */
export const timeoutMs = durationMs(100, 10 * minuteMs, "from 100ms to 10m");
/** For a pause, which may be none. */
export const delayMs = durationMs(0, 10 * minuteMs, "from 0s to 10m");
/** For how old a stream may become. */
export const streamAgeMs = durationMs(1_000, dayMs, "from 1s to 1d");
/** For the life of a signing key. */
export const keyLifetimeMs = durationMs(3_600_000, 3650 * dayMs, "from 1h to 3650d");
/** For the life of an access token. */
export const tokenTtlMs = durationMs(10_000, dayMs, "from 10s to 1d");
/** For the life of a session. */
export const sessionTtlMs = durationMs(minuteMs, 3650 * dayMs, "from 1m to 3650d");

const auditRetentionDaysMax = 36_500;

/** For how long the audit trail is kept; Infinity for ever. */
export const auditRetentionMs: Schema<number> = refined((text) => {
  if (text === "forever") return Infinity;
  const value = parseDurationMs(text);
  return value !== null && value >= dayMs && value <= auditRetentionDaysMax * dayMs ? value : null;
}, `must be forever, or a duration with its unit (ms, s, m, h, d), from 1d to ${auditRetentionDaysMax}d`);

const secretCharsMin = 32;

/** Secrets of which the first is used for what is new. */
export const secretList: Schema<string[]> = refined((text) => {
  const secrets = text.split(",").map((secret) => secret.trim());
  const isGood = secrets.every((secret) => secret.length >= secretCharsMin && isHardToGuess(secret));
  return isGood && new Set(secrets).size === secrets.length ? secrets : null;
}, `must hold one or more different secrets of at least ${secretCharsMin} random characters each (openssl rand -hex 32), separated by commas`);

const differentCharsMin = 8;
const compressedBytesMin = 24;

/** Random text has many characters and cannot be compressed; 32 hexadecimal digits take 34 bytes. Repetitions take few. */
function isHardToGuess(secret: string): boolean {
  return new Set(secret).size >= differentCharsMin && deflateRawSync(secret).byteLength >= compressedBytesMin;
}

/** An address to listen on. */
export const host = refined(
  (text) => (isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text) ? text : null),
  "must be an IP address (IPv6 without brackets) or a host name",
);

/** For a text that is part of every token. */
const claimBytesMax = 255;

/** How many bytes a text takes in a token, without its quotes. */
function bytesInToken(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** The audience of access tokens. */
export const audience = refined(
  (text) =>
    text === text.trim() && !/\p{Cc}/u.test(text) && bytesInToken(text) <= claimBytesMax ? text : null,
  `must be at most ${claimBytesMax} bytes long in JSON, and not begin or end with white space, nor hold control characters`,
);

// URL alone takes too much: it drops white space, and reads "HTTPS:host" as "https://host/".
/** An issuer (RFC 8414 section 2), without the slashes at its end. */
export const issuer = refined((text) => {
  const url = /^https?:\/\/[\x21-\x7e]+$/.test(text) && URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.username === "" && url.password === "" && !/[?#\\]/.test(text);
  const isBounded = bytesInToken(text) <= claimBytesMax;
  return isPlain && isBounded ? text.replace(/\/+$/, "") : null;
}, `must be an http:// or https:// URL of at most ${claimBytesMax} characters, without credentials, query and fragment`);

/** Checks only the beginning: src/postgres/connection-string.ts reads all of it. */
export const databaseUrl = refined(
  (text) => (/^postgres(ql)?:\/\//.test(text) ? text : null),
  "must begin with postgres:// or postgresql://",
);

/** An address of Redis. */
export const redisTarget = refined(
  parseRedisUrl,
  "must be a redis://, redis+sentinel:// or redis+cluster:// URL (rediss for TLS) of the documented form",
);

/** The beginning of all keys. Braces are refused: they decide the slot of a key in a cluster. */
export const keyPrefix = refined(
  (text) => (/^[\x21-\x7e]{0,64}$/.test(text) && !/[{}]/.test(text) ? text : null),
  "must be at most 64 printable ASCII characters, without braces",
);

/** A prefix of paths; "" for none. A segment of only dots is refused, since callers would resolve it. */
export const basePath = refined(
  (text) => (/^(\/(?!\.+(\/|$))[A-Za-z0-9._~-]+)*$/.test(text) ? text : null),
  "must be empty, or begin with a slash and not end with one",
);

/** Origins as browsers send them (RFC 6454 section 6.2), or all of them. */
export const origins: Schema<string[] | "*"> = refined((text) => {
  if (text === "*") return text;
  const list = text.split(",").map((entry) => entry.trim());
  return list.every(isOrigin) ? list : null;
}, "must be origins such as https://app.example.com or capacitor://localhost, without a path and a slash at the end, separated by commas; or *");

// A scheme of an app's own, such as capacitor, ionic, app or tauri. Those of the web have no pages of their own
// origin (ws, ftp, file, data, blob), and one of the letters of https alone is a slip.
const appOrigin =
  /^(?!(?:[htps]+|wss?|ftp|file|data|blob|about|javascript):)[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(?::[0-9]{1,5})?$/;

function isOrigin(text: string): boolean {
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  return appOrigin.test(text);
}

// The header fields that browsers send by themselves, or that a script may send without a preflight (Fetch, section
// 2.2.2). None of them proves that a listed page sent the request.
const freeHeaders =
  /^(?:accept|accept-.*|access-control-.*|authorization|connection|content-.*|cookie2?|date|device-memory|dnt|downlink|dpr|ect|expect|host|if-.*|keep-alive|last-event-id|origin|priority|proxy-.*|range|referer|rtt|save-data|sec-.*|te|trailer|transfer-encoding|upgrade.*|user-agent|via|viewport-width|width|x-requested-with)$/i;

/** The name of a header field (RFC 9110 section 5.1) that no page can send without a preflight. */
export const modeHeaderName = refined(
  (text) => (/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/.test(text) && !freeHeaders.test(text) ? text : null),
  "must be the name of a header field that browsers neither send by themselves nor let pages send without a preflight",
);

/** What a request can ask for, and a token has room for. */
const scopesCharsMax = 1_024;

/** Scope names (RFC 6749 section 3.3). */
export const scopes: Schema<string[]> = refined((text) => {
  const names = text === "" ? [] : text.split(" ");
  return names.every(isScopeToken) && text.length <= scopesCharsMax ? names : null;
}, `must be scope names, separated by single spaces, of at most ${scopesCharsMax} characters in all`);

/** Addresses and ranges of them. */
export const cidrs = refined(parseCidrs, "must be addresses or CIDR ranges, separated by commas");

/** A commit's id, whole or short. */
export const commit = refined(
  (text) => (/^[0-9a-f]{7,64}$/.test(text) ? text : null),
  "must be a commit's id: 7 to 64 hexadecimal digits in lower case",
);
/** A limit; null for one that is switched off. */
export const rate: Schema<Rate | null> = {
  message:
    "must be a rate such as 60/1m or 60/1m burst 10 (counts from 1 to 1000000, a period from 1s to 30d), or off",
  read(text) {
    const value = text === "off" ? null : parseRate(text);
    return text === "off" || value !== null ? { value } : null;
  },
};

/** For the life of a device token. */
export const deviceTtlMs = durationMs(minuteMs, 365 * dayMs, "from 1m to 365d");
