/** What a server answers that could not do what any caller wants. */
const states =
  /^(BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|TRYAGAIN|UNBLOCKED|WRONGPASS)\b/;

/**
 * Whether a command failed for the server's sake: it did not answer, or is in no state to. A script's own
 * failure is not among them: it says nothing about the next call.
 */
export function isServerFailure(error: unknown): boolean {
  if (!Error.isError(error)) return true;
  return error.name !== "ReplyError" || states.test(error.message);
}
