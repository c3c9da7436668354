/** The statuses that the transcoder, or the HTTP edge around it, refuses a request with. */
export type RestStatus = 400 | 404 | 405 | 406 | 408 | 413 | 414 | 415 | 431;

/** What a RestError can carry beside its status and its sentence. */
export interface RestErrorOptions {
  /** The methods that the path takes (405; RFC 9110 section 15.5.6). */
  readonly allow?: readonly string[];
  /** The content codings that are taken, where the coding is what is wrong (415; section 15.5.16). */
  readonly acceptedCodings?: readonly string[];
  /** The path of the request field that is wrong, in proto names. */
  readonly field?: string;
}

/**
 * A request that cannot be read: always the caller's doing. Everything else that the transcoder
 * throws is a mistake in the service.
 */
export class RestError extends Error {
  override readonly name = "RestError";
  readonly status: RestStatus;
  /** The methods that the path takes; empty unless the status is 405. */
  readonly allow: readonly string[];
  /** The content codings that are taken; empty unless the coding is what is wrong. */
  readonly acceptedCodings: readonly string[];
  /** The path of the request field that is wrong, in proto names; undefined when no field is to blame. */
  readonly field: string | undefined;

  /**
   * @param detail the public sentence: ASCII without quotes and backslashes, made of fixed words and
   *   of names from the descriptors alone, never of anything that the caller sent
   */
  constructor(status: RestStatus, detail: string, options: RestErrorOptions = {}) {
    super(detail);
    this.status = status;
    this.allow = options.allow ?? [];
    this.acceptedCodings = options.acceptedCodings ?? [];
    this.field = options.field;
  }
}

/** A 400 that blames one field: `The field <path> <what>.` */
export function fieldRefused(field: string, what: string): RestError {
  return new RestError(400, `The field ${field} ${what}.`, { field });
}
