import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { AppError } from "../errors/app-error.ts";
import type { Administrator } from "../domain/role/administrator.ts";
import type { Principal } from "../domain/token/authenticate-bearer.ts";

/** What the edge knows about a call, in any protocol. */
export interface CallContext {
  readonly requestId: string;
  /** The caller's address, by TRUSTED_PROXIES. */
  readonly clientAddress: string;
  /** Adds the user to the request's log line. */
  recordUser(userId: string): void;
  /** Adds the failure of a stream to the request's log line. */
  recordFailure(error: AppError): void;
  /** Sets cookies with the answer, whether it is a success or a failure. @param lines Set-Cookie values */
  setCookies(lines: readonly string[]): void;
  /** Adds header fields to the answer, whether it succeeds or fails. */
  addHeaders(fields: Readonly<Record<string, string>>): void;
  /** Has an unset field of the answer written as null in JSON over REST. @param name the field's proto name */
  writeNull(name: string): void;
}

const nobody: CallContext = {
  requestId: "",
  clientAddress: "",
  recordUser: () => undefined,
  recordFailure: () => undefined,
  setCookies: () => undefined,
  writeNull: () => undefined,
  addHeaders: () => undefined,
};

/** The call's context among Connect's context values. */
export const callContextKey: ContextKey<CallContext> = createContextKey(nobody, {
  description: "call context",
});

/** The authenticated caller; null for an RPC that anyone may call. */
export const principalKey: ContextKey<Principal | null> = createContextKey<Principal | null>(null, {
  description: "principal",
});

/** Whoever administers; null for an RPC that needs no permission. */
export const administratorKey: ContextKey<Administrator | null> = createContextKey<Administrator | null>(
  null,
  { description: "administrator" },
);

/** The refusal by the limit of the caller's address, which a known device may pass; null for none. */
export const addressRefusalKey: ContextKey<AppError | null> = createContextKey<AppError | null>(null, {
  description: "address refusal",
});
