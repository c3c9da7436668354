import { AppError } from "../domain/errors.ts";
import { failureClass } from "../ops/failure-class.ts";

/** What node-postgres and our pool say without a code. Only texts without a name or a value are here. */
const byMessage: readonly (readonly [RegExp, string])[] = [
  [/^(timeout e|Query read timeout|Connection terminated due to connection timeout)/, "timed out"],
  [/^Connection terminated/, "connection lost"],
  [/^The server does not support SSL/, "the server speaks no TLS, which sslmode asks for"],
  [/^The server is not (read-write|primary)\./, "no host takes writes"],
  [/^The server is not /, "no host is what target_session_attrs asks for"],
  [/password must be a string$/, "the server asks for a password, and DATABASE_URL has none"],
];

/** Why the database cannot be reached, in a few words that hold no part of its address. */
export function databaseFailure(error: unknown): string {
  const cause = error instanceof AppError ? error.cause : error;
  const known = failureClass(cause);
  if (known !== "failed" || !Error.isError(cause)) return known;
  return byMessage.find(([form]) => form.test(cause.message))?.[1] ?? known;
}
