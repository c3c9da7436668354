export { type AccessRule, requireAccess } from "./access-rule.ts";
export type { AccessToken } from "./access-token.ts";
export type { Algorithm } from "./algorithms.ts";
export { type Fetch, FetchError } from "./fetch-json.ts";
export { createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";
export { type RefusalKind, VerifyError, type VerifyReason, verifyReasons } from "./verify-error.ts";
