import { AppError } from "../../errors/app-error.ts";
import { toAppError } from "../failure.ts";

/** A stream that its deadline cut off must not look like one that came to its end. @throws AppError deadline_exceeded */
export function requireInTime(signal: AbortSignal): void {
  const end: unknown = signal.reason;
  if (end !== undefined && toAppError(end).reason === "deadline_exceeded") throw toAppError(end);
}

/**
 * A stream that is a whole must not look like one when it is ended early.
 *
 * @throws AppError deadline_exceeded or cancelled, and unavailable where the server ends it
 */
export function requireGoingOn(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const { reason } = toAppError(signal.reason);
  if (reason === "deadline_exceeded" || reason === "cancelled") throw toAppError(signal.reason);
  throw new AppError("unavailable", "The stream was ended before it was complete.");
}
