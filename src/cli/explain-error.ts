import { ConfigError } from "../config/config-error.ts";
import { AppError } from "../errors/app-error.ts";
import { failureClass } from "../ops/failure-class.ts";

/** What went wrong, for the person at the terminal: sentences, and no stack. */
export function explainError(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof AppError) return explainAppError(error);
  const message = Error.isError(error) ? error.message.trim() : "";
  return message === "" ? "Failed for an unknown reason." : toSentence(message);
}

function explainAppError(error: AppError): string {
  // A service's own answer has no cause here.
  if (error.reason === "unavailable" && error.cause !== undefined) {
    return `The database cannot be reached: ${failureClass(error)}.`;
  }
  if (error.fields.length === 0) return error.message;
  return error.fields.map(({ field, detail }) => `The ${field} ${detail}.`).join("\n");
}

function toSentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?:)|]$/.test(first) ? first : `${first}.`;
}
