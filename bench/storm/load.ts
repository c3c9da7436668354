/** A stream of logins. */
export interface LoadPlan {
  readonly port: number;
  readonly seconds: number;
  /** So many callers, each with one login after the other; null where `rate` says when logins come. */
  readonly callers: number | null;
  /** Logins a second, whatever becomes of those before; those of callers who come back are among them. */
  readonly rate: number;
  /** How many addresses they come from: 1 for a flood from one. */
  readonly addresses: number;
  /** The first number of the addresses, so that two loads have none in common. */
  readonly network: number;
  readonly userNames: readonly string[];
  readonly password: string;
  /** Whether a refused caller comes back when Retry-After says so. */
  readonly comesBack: boolean;
}

/** What became of them. Times are milliseconds. */
export interface LoadResult {
  readonly seconds: number;
  /** The processor time that the callers themselves took. */
  readonly processorMs: number;
  /** Logins that were asked for, without the returns. */
  readonly asked: number;
  readonly returns: number;
  readonly succeeded: number;
  /** Refusals by status and reason, and all other failures. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly succeededMs: { readonly p50: number; readonly p99: number };
  readonly refusedMs: { readonly p50: number; readonly p99: number };
  readonly refusedWithoutRetryAfter: number;
  readonly retryAfterSeconds: { readonly p50: number; readonly max: number };
}
