import type { FieldCode } from "./field-codes.ts";
import type { Reason } from "./reasons.ts";

/** One field that is wrong, by its path in the request message, and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  /** For programs. */
  readonly code: FieldCode;
  /** For people. */
  readonly detail: string;
}

/** A limit on requests, and how much of it the caller has used. */
export interface Quota {
  /** The limit's name. */
  readonly policy: string;
  /** How many may come at once after a pause of `windowSeconds`. */
  readonly quota: number;
  readonly windowSeconds: number;
  /** How many may come now. */
  readonly remaining: number;
  /** How long until `remaining` is `quota`, if none come. */
  readonly resetSeconds: number;
}

/** What an AppError can carry beside its reason and its sentence. */
export interface AppErrorOptions {
  /** For logs only, never shown to a caller. */
  readonly cause?: unknown;
  /** The fields that are wrong (validation_failed). */
  readonly fields?: readonly FieldError[];
  /** How long a caller should wait before trying again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The methods that the path accepts (method_not_allowed). */
  readonly allow?: readonly string[];
  /** The content codings that are accepted, if the coding is what is wrong (unsupported_media_type). */
  readonly acceptedCodings?: readonly string[];
  /** The limit that is used up (rate_limited). */
  readonly quota?: Quota;
}

/**
 * A failure that is answered to the caller: a reason from the registry and a public sentence.
 * Any other error that is thrown is a bug of the service and ends as `internal`.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly reason: Reason;
  readonly fields: readonly FieldError[];
  readonly retryAfterMs: number | undefined;
  readonly allow: readonly string[];
  readonly acceptedCodings: readonly string[];
  readonly quota: Quota | undefined;

  /**
   * @param reason a name from the registry
   * @param detail the public sentence: ASCII without quotes and backslashes (it is also the OAuth
   *   error_description, RFC 6749 section 5.2), and never anything that the caller sent
   */
  constructor(reason: Reason, detail: string, options: AppErrorOptions = {}) {
    // A stack that nobody reads would be a good part of what a refusal costs in a storm.
    const { stackTraceLimit } = Error;
    if (reason !== "internal") Error.stackTraceLimit = 0;
    super(detail, "cause" in options ? { cause: options.cause } : undefined);
    Error.stackTraceLimit = stackTraceLimit;
    this.reason = reason;
    this.fields = options.fields ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.allow = options.allow ?? [];
    this.acceptedCodings = options.acceptedCodings ?? [];
    this.quota = options.quota;
  }
}
