/** Errors of a server that can serve no caller at present. */
const states =
  /^(BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|TRYAGAIN|UNBLOCKED|WRONGPASS)\b/;

/**
 * Whether a command failed because of the server: it did not answer, or is in no state to. A failure of the
 * script itself does not count: it says nothing about the next call.
 */
export function isServerFailure(error: unknown): boolean {
  if (!Error.isError(error)) return true;
  return error.name !== "ReplyError" || states.test(error.message);
}
