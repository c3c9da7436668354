import { AppError, type FieldError } from "./app-error.ts";

/** The failure of a request whose fields are wrong: validation_failed, with each field named. */
export function invalidFields(fields: readonly FieldError[]): AppError {
  return new AppError("validation_failed", "A field is not valid.", { fields });
}

/** Refuses a request if any of its fields is wrong. @throws AppError validation_failed */
export function refuseFields(fields: readonly FieldError[]): void {
  if (fields.length > 0) throw invalidFields(fields);
}

/** The failure of a request for something that does not exist, by its noun: `session`, `signing key`. */
export function notFound(noun: string): AppError {
  return new AppError("not_found", `There is no such ${noun}.`);
}

/** The failure of a change of a state that a thing is not in any more, by its etag. */
export function changedMeanwhile(): AppError {
  return new AppError("conflict", "The etag is of another state: this has changed meanwhile.");
}
