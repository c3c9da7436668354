import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { AppError } from "../domain/errors.ts";
import type { Principal } from "../domain/token/authenticate-bearer.ts";

/** What the edge knows of a call, whatever protocol it came by. */
export interface CallContext {
  readonly requestId: string;
  /** The caller's address, by TRUSTED_PROXIES. */
  readonly clientAddress: string;
  /** Adds the user to the request's log line. */
  recordUser(userId: string): void;
  /** Tells the request's log line what a stream failed of. */
  recordFailure(error: AppError): void;
}

const nobody: CallContext = {
  requestId: "",
  clientAddress: "",
  recordUser: () => undefined,
  recordFailure: () => undefined,
};

/** The call's context among Connect's context values. */
export const callContextKey: ContextKey<CallContext> = createContextKey(nobody, {
  description: "call context",
});

/** The authenticated caller; null for an RPC that anyone may call. */
export const principalKey: ContextKey<Principal | null> = createContextKey<Principal | null>(null, {
  description: "principal",
});
