import { AppError, type Quota } from "../errors/app-error.ts";
import type { Deadlines } from "../lib/deadlines.ts";
import type { Administrator } from "../domain/role/administrator.ts";
import type { Principal } from "../domain/token/authenticate-bearer.ts";

/** What a call reads of its request, and where it leaves what the answer carries. The port's exchange is one. */
export interface CallRequest {
  readonly requestId: string;
  /** The caller's address, by TRUSTED_PROXIES. */
  readonly clientAddress: string;
  /** A header field's value, its lines joined; undefined where it was not sent. @param name in lower case */
  header(name: string): string | undefined;
  /** Aborted, with an AppError, when the caller goes. */
  readonly signal: AbortSignal;
  /** What the request's log line says. */
  readonly outcome: { userId: string | null };
  /** Set-Cookie values. */
  readonly cookies: string[];
  readonly addedHeaders: Record<string, string>;
  readonly nulls: string[];
}

/** One call of an RPC, whatever protocol it came by: what guards and handlers know of it, and what they tell of it. */
export class Call {
  /** The authenticated caller; null for an RPC that anyone may call. */
  principal: Principal | null = null;
  /** Whoever administers; null for an RPC that needs no permission. */
  administrator: Administrator | null = null;
  /** The refusal by the limit of the caller's address, which a known device may pass; null for none. */
  addressRefusal: AppError | null = null;
  /** How much of the limit of its address is used; null where none counts it. */
  addressQuota: Quota | null = null;
  /** Whether its tokens travel in cookies. */
  usesCookies = false;
  /** The header fields of its answer, if it succeeds. */
  readonly answerHeaders: Record<string, string> = {};
  /** When its deadline passes, by `performance.now()`; infinity for a stream. */
  readonly expiresAt: number;
  readonly #request: CallRequest;
  readonly #deadlines: Deadlines | null;
  #signal: AbortSignal | null;
  #controller: AbortController | null = null;

  /**
   * @param deadlines those that its own is one of; null for none, as streams have
   * @param signal a stream's; a unary call makes one of its own
   */
  constructor(request: CallRequest, deadlines: Deadlines | null, signal: AbortSignal | null = null) {
    this.#request = request;
    this.#deadlines = deadlines;
    this.expiresAt = deadlines === null ? Infinity : performance.now() + deadlines.lengthMs;
    this.#signal = signal;
  }

  get requestId(): string {
    return this.#request.requestId;
  }

  /** The caller's address, by TRUSTED_PROXIES. */
  get clientAddress(): string {
    return this.#request.clientAddress;
  }

  /** A header field of the request, its lines joined; undefined where it was not sent. @param name in lower case */
  header(name: string): string | undefined {
    return this.#request.header(name);
  }

  /** Aborted, with an AppError, when the deadline passes or the caller goes. It is made for whoever asks first. */
  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }

  /** Sets a header field of the answer, if it succeeds. @param name in lower case */
  setHeader(name: string, value: string): void {
    this.answerHeaders[name] = value;
  }

  /** Adds header fields to the answer, whether it succeeds or fails. */
  addHeaders(fields: Readonly<Record<string, string>>): void {
    Object.assign(this.#request.addedHeaders, fields);
  }

  /** Sets cookies with the answer, whether it succeeds or fails. @param lines Set-Cookie values */
  setCookies(lines: readonly string[]): void {
    this.#request.cookies.push(...lines);
  }

  /** Has an unset field of the answer written as null in JSON over REST. @param name the field's proto name */
  writeNull(name: string): void {
    this.#request.nulls.push(name);
  }

  /** Adds the user to the request's log line. */
  recordUser(userId: string): void {
    this.#request.outcome.userId = userId;
  }

  /**
   * Runs work until the deadline passes, even where the work does not listen to the signal.
   *
   * @throws AppError deadline_exceeded; whatever the work throws
   */
  within<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (performance.now() >= this.expiresAt) throw deadlineExceeded();
      const deadline = this.#deadlines?.start(() => {
        const late = deadlineExceeded();
        reject(late);
        this.#controller?.abort(late);
      });
      const settle =
        <Value>(end: (value: Value) => void) =>
        (value: Value): void => {
          deadline?.stop();
          end(value);
        };
      work().then(settle(resolve), settle<unknown>(reject));
    });
  }

  #makeSignal(): AbortSignal {
    const controller = new AbortController();
    const gone = this.#request.signal;
    const onGone = (): void => controller.abort(gone.reason);
    if (gone.aborted) onGone();
    else gone.addEventListener("abort", onGone, { once: true, signal: controller.signal });
    if (performance.now() >= this.expiresAt) controller.abort(deadlineExceeded());
    this.#controller = controller;
    return controller.signal;
  }
}

function deadlineExceeded(): AppError {
  return new AppError("deadline_exceeded", "The deadline has passed.");
}
