/** An error as logs show it. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  /** The table's constraint that a statement would have broken. */
  readonly constraint?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
  readonly errors?: LoggedError[];
}

const depthMax = 5;
const errorsMax = 4;
const charsMax = 8_000;

/**
 * An error as logs show it: its type, code, sentence, stack and causes. Nothing else that a driver hangs
 * on its errors: those of PostgreSQL carry the values of the row in `detail` and `where`, and quote what
 * was typed in their message; those of Redis carry the command.
 */
export function serializeError(error: unknown): LoggedError {
  if (error instanceof BriefError) return shorten(serialize(error.cause, 1), error.framesMax);
  return serialize(error, 1);
}

/** Wraps an error that is to be logged in brief. */
class BriefError extends Error {
  readonly framesMax: number;

  constructor(cause: unknown, framesMax: number) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super("", { cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.framesMax = framesMax;
  }
}

/**
 * For errors that can hit every call while something is broken: the log shows the error and only the first few stack
 * frames of its innermost cause.
 *
 * @param framesMax how many frames; 0 if the kind of the error shows where it came from
 */
export function briefError(error: unknown, framesMax: number): Error {
  return new BriefError(error, framesMax);
}

function shorten({ stack, cause, errors, ...rest }: LoggedError, framesMax: number): LoggedError {
  const inner = errors?.map((one) => shorten(one, framesMax));
  if (cause !== undefined) {
    return { ...rest, ...(inner === undefined ? {} : { errors: inner }), cause: shorten(cause, framesMax) };
  }
  const frames = stack?.match(/^ {4}at .*$/gm)?.slice(0, framesMax) ?? [];
  return {
    ...rest,
    ...(frames.length === 0 ? {} : { stack: frames.join("\n") }),
    ...(inner === undefined ? {} : { errors: inner }),
  };
}

function serialize(error: unknown, depth: number): LoggedError {
  if (!Error.isError(error)) return { type: typeof error };
  const { name, cause } = error;
  const message = clean(error, error.message);
  return {
    type: name,
    ...textField(error, "code"),
    ...textField(error, "constraint"),
    message,
    // The stack begins with the message.
    stack: clean(
      error,
      (error.stack ?? "").replace(error.message, () => message),
    ),
    ...(cause === undefined || depth >= depthMax ? {} : { cause: serialize(cause, depth + 1) }),
    ...(error instanceof AggregateError && depth < depthMax
      ? { errors: error.errors.slice(0, errorsMax).map((one) => serialize(one, depth + 1)) }
      : {}),
  };
}

function textField(error: Error, name: "code" | "constraint"): { code?: string; constraint?: string } {
  const value = name in error ? (error as Error & Record<typeof name, unknown>)[name] : undefined;
  return typeof value === "string" ? { [name]: value } : {};
}

/** The forms of refresh and device tokens, of JWTs, and of a password in an address. */
const secretForms = /csr_[\w-]{16,}|eyJ[\w-]+\.[\w-]+\.[\w-]+|(?<=:\/\/)[^\s/@]+@/g;

function clean(error: Error, text: string): string {
  const unquoted = isDataException(error) ? text.replaceAll(/"[^"]*"/g, '"..."') : text;
  return unquoted.replaceAll(secretForms, "[redacted]").slice(0, charsMax);
}

/** SQLSTATE class 22: PostgreSQL's message quotes the invalid value. */
function isDataException(error: Error): boolean {
  return "severity" in error && "code" in error && String(error.code).startsWith("22");
}
