import { AppError } from "../errors/app-error.ts";
import type { FailureClass } from "./failure-classes.ts";
import { classByCode, classByMessage, classByRedisWord, classBySqlstateClass } from "./failure-signs.ts";

/**
 * The kind of a failure in a few fixed words, for health reports and logs.
 *
 * It never contains any part of the error's own text, which can hold a host, a user name or a connection
 * string. An unknown kind is "failed".
 */
export function failureClass(error: unknown): FailureClass {
  const found = error instanceof AppError ? error.cause : error;
  if (!Error.isError(found)) return "failed";
  if (found.name === "ClockSkewError") return "differs from the database's clock";
  const code = "code" in found && typeof found.code === "string" ? found.code : "";
  return (
    classByMessage.find(([form]) => form.test(found.message))?.[1] ??
    lookUp(classByCode, code) ??
    sqlstate(code) ??
    tls(code) ??
    redis(found) ??
    below(found) ??
    "failed"
  );
}

function sqlstate(code: string): FailureClass | undefined {
  return /^[0-9A-Z]{5}$/.test(code) ? lookUp(classBySqlstateClass, code.slice(0, 2)) : undefined;
}

function tls(code: string): FailureClass | undefined {
  return /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/.test(code)
    ? "TLS failed"
    : undefined;
}

function redis(error: Error): FailureClass | undefined {
  return error.name === "ReplyError"
    ? lookUp(classByRedisWord, error.message.split(" ", 1)[0] ?? "")
    : undefined;
}

/** If several hosts or addresses were tried: the failure of the last one. */
function below(error: Error): FailureClass | undefined {
  const last: unknown =
    "lastNodeError" in error
      ? error.lastNodeError
      : "errors" in error && Array.isArray(error.errors)
        ? error.errors.at(-1)
        : undefined;
  const found = last === undefined || last === error ? "failed" : failureClass(last);
  return found === "failed" ? undefined : found;
}

function lookUp(table: Readonly<Record<string, FailureClass>>, key: string): FailureClass | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
