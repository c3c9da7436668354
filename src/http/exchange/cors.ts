import { cors as connectCors } from "@connectrpc/connect";
import type { Reply } from "./reply.ts";

/** Which other origins' scripts may call, and read the answers. */
export interface CorsPolicy {
  /** Serialised origins (RFC 6454 section 6.2), or all of them, then without credentials. */
  readonly origins: readonly string[] | "*";
  /** Request header fields beside those of the protocols and of Countersign. */
  readonly requestHeaders: readonly string[];
}

/** What of an exchange a preflight is. */
interface Preflight {
  readonly method: string;
  header(name: string): string | undefined;
  reply(reply: Reply): void;
}

/** Cross-origin resource sharing, as the Fetch standard has it. */
export interface Cors {
  /** What every answer carries. @param origin the request's Origin; undefined where none was sent */
  headersFor(origin: string | undefined): Readonly<Record<string, string>>;
  /** Answers a preflight; false where the request is none. */
  answerPreflight(exchange: Preflight): boolean;
}

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
const requestHeaders = [
  ...connectCors.allowedHeaders,
  "Accept",
  "Authorization",
  "X-Request-Id",
  // Of no use any more; pages of former versions send it.
  "X-CSRF-Token",
  "traceparent",
  "tracestate",
];
const exposedHeaders = [
  ...connectCors.exposedHeaders,
  "Allow",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "WWW-Authenticate",
  "X-Request-Id",
].join(", ");
/** What browsers keep a preflight's answer for at most. */
const maxAgeSeconds = "7200";

const none: Readonly<Record<string, string>> = {};

/** @param policy with no origins, nothing is answered and no preflight is known */
export function createCors(policy: CorsPolicy): Cors {
  const { origins } = policy;
  const listed = new Set(origins === "*" ? [] : origins);
  const everyone = { "access-control-allow-origin": "*", "access-control-expose-headers": exposedHeaders };
  const refused = { vary: "Origin" };
  const allowed = new Map(
    [...listed].map((origin) => [
      origin,
      {
        vary: "Origin",
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": exposedHeaders,
      },
    ]),
  );
  const isAllowed = (origin: string) => origins === "*" || listed.has(origin);
  const allowHeaders = [...new Set([...requestHeaders, ...policy.requestHeaders])].join(", ");

  if (origins !== "*" && listed.size === 0) {
    return { headersFor: () => none, answerPreflight: () => false };
  }
  return {
    headersFor: (origin) => (origins === "*" ? everyone : (allowed.get(origin ?? "") ?? refused)),
    answerPreflight(exchange) {
      const origin = exchange.header("origin");
      const isPreflight = exchange.method === "OPTIONS" && exchange.header("access-control-request-method");
      if (isPreflight === undefined || isPreflight === false || origin === undefined) return false;
      const headers = isAllowed(origin)
        ? {
            "access-control-allow-methods": methods,
            "access-control-allow-headers": allowHeaders,
            "access-control-max-age": maxAgeSeconds,
          }
        : {};
      exchange.reply({ status: 204, headers, body: null });
      return true;
    },
  };
}
