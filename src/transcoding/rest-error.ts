/** The statuses that the transcoder, or the HTTP edge around it, refuses a request with. */
export type RestStatus = 400 | 404 | 405 | 406 | 408 | 413 | 414 | 415 | 431;

/** What can be wrong with a field, for programs. */
export type RestFieldCode = "wrong_type" | "unknown" | "given_twice" | "misplaced" | "contradictory";

/** A field that is wrong: its path in proto names, and how. */
export interface WrongField {
  readonly path: string;
  readonly code: RestFieldCode;
  readonly detail: string;
}

/** What a RestError can carry beside its status and its sentence. */
export interface RestErrorOptions {
  /** The methods that the path takes (405; RFC 9110 section 15.5.6). */
  readonly allow?: readonly string[];
  /** The content codings that are accepted, if the coding is wrong (415; section 15.5.16). */
  readonly acceptedCodings?: readonly string[];
  /** The request field that is wrong. */
  readonly field?: WrongField;
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
  /** The request field that is wrong; undefined when none is to blame. */
  readonly field: WrongField | undefined;

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

/** A 400 that blames one field: `The field <path> <detail>.` */
export function fieldRefused(path: string, code: RestFieldCode, detail: string): RestError {
  return new RestError(400, `The field ${path} ${detail}.`, { field: { path, code, detail } });
}

const plainName = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

/**
 * A 400 for an unknown member or parameter. Its name is given apart from the sentence, and only if it is a
 * plain one: what else a caller may have put in a name's place is not echoed.
 *
 * @param prefix the path of the message that it is in, with its last dot; empty for the request itself
 */
export function unknownRefused(prefix: string, name: string, sentence: string): RestError {
  if (!plainName.test(name)) {
    return new RestError(400, sentence);
  }
  return new RestError(400, sentence, {
    field: { path: prefix + name, code: "unknown", detail: "is not known" },
  });
}
