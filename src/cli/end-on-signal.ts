let isSet = false;

/**
 * Makes Ctrl-C and SIGTERM end a command through Node's own exit, so that an embedded PostgreSQL that the
 * command has started ends too. By default a signal would leave it behind.
 */
export function endOnSignal(): void {
  if (isSet) return;
  isSet = true;
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
