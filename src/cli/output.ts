let isGuarded = false;
let isClosed = false;

/**
 * Lets commands end quietly when nobody reads their output any more (`user list | head -1`), or when
 * the terminal has gone. Called before anything is printed.
 */
export function guardOutput(): void {
  if (isGuarded) return;
  isGuarded = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      isClosed = true;
    });
  }
}

/** Whether what is printed now reaches nobody, so that a long listing can stop. */
export function isOutputClosed(): boolean {
  return isClosed;
}

/** Prints one line to standard output. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints one object as JSON, on a line of its own. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** Prints one line to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
