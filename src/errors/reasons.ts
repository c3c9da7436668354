/** The names of google.rpc.Code, as the gRPC documentation spells them. */
export type StatusCode =
  | "CANCELLED"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "ABORTED"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "UNAUTHENTICATED";

/** What a reason means to each protocol, and to people. */
export interface ReasonSpec {
  /** The status over gRPC, gRPC-Web and Connect. */
  readonly code: StatusCode;
  /** The status over REST. */
  readonly status: number;
  /**
   * The status at the endpoints of RFC 6749, 7009 and 7662: 400 for all that is the request's fault, but 401
   * for the client's authentication (RFC 6749 section 5.2).
   */
  readonly oauthStatus: number;
  /** A short summary that does not change from one occurrence to the next (RFC 9457 section 3.1.3). */
  readonly title: string;
  /** The OAuth error name (RFC 6749 section 5.2, 6750 section 3.1, 8628 section 3.5); null if there is none. */
  readonly oauthError: string | null;
  /** What happened and what to do about it, for the reason's page. */
  readonly help: string;
  /** Whether HTTP's own status explains the failure completely: a problem's `type` is then `about:blank`. */
  readonly isHttps?: true;
}

/**
 * Every way in which a request can fail. The names are public and stable: callers decide by them,
 * and each protocol's status is derived from this table alone.
 */
export const reasons = {
  malformed_request: {
    code: "INVALID_ARGUMENT",
    status: 400,
    oauthStatus: 400,
    title: "The request cannot be read",
    oauthError: "invalid_request",
    help: "The request is not well-formed: its body does not parse, a parameter is given twice, text is not UTF-8, the Host header is missing or broken, or credentials are sent in two ways or in the query string. Correct the request; sending the same one again fails again.",
  },
  unsupported_grant_type: {
    code: "INVALID_ARGUMENT",
    status: 400,
    oauthStatus: 400,
    title: "Unsupported grant type",
    oauthError: "unsupported_grant_type",
    help: "The grant_type is not one that this endpoint accepts. POST /auth/login accepts `password`, or no grant_type at all.",
  },
  invalid_scope: {
    code: "INVALID_ARGUMENT",
    status: 400,
    oauthStatus: 400,
    title: "Invalid scope",
    oauthError: "invalid_scope",
    help: "A scope is unknown, malformed, or more than the client may ask for. Scopes are names, separated by single spaces.",
  },
  invalid_target: {
    code: "INVALID_ARGUMENT",
    status: 400,
    oauthStatus: 400,
    title: "Invalid target",
    oauthError: "invalid_target",
    help: "A `resource` (RFC 8707) is none of the audiences that the client's tokens are for. Leave it out, and the token is for all of them.",
  },
  validation_failed: {
    code: "INVALID_ARGUMENT",
    status: 422,
    oauthStatus: 400,
    title: "Validation failed",
    oauthError: "invalid_request",
    help: "The request was read, but a field is missing, too long, or of the wrong form. `errors` (over gRPC: BadRequest) names each field with what is wrong.",
  },
  invalid_credentials: {
    code: "UNAUTHENTICATED",
    status: 401,
    oauthStatus: 400,
    title: "Invalid credentials",
    oauthError: "invalid_grant",
    help: "The username or the password is wrong. The answer does not say which, and is the same for a name that does not exist.",
  },
  invalid_refresh_token: {
    code: "UNAUTHENTICATED",
    status: 401,
    oauthStatus: 400,
    title: "Invalid refresh token",
    oauthError: "invalid_grant",
    help: "The refresh token is unknown, expired, already used, or belongs to a session that has ended. Sign in again.",
  },
  foreign_token: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Another client's token",
    oauthError: "invalid_grant",
    help: "The token is genuine, but was issued to another client, and only that client can revoke it. Nothing was revoked.",
  },
  invalid_client: {
    code: "UNAUTHENTICATED",
    status: 401,
    oauthStatus: 401,
    title: "Client authentication failed",
    oauthError: "invalid_client",
    help: "The client is unknown, did not authenticate, or authenticated in a way that it is not registered for. Introspection accepts only clients that authenticate with a secret, so neither a public client nor the built-in one.",
  },
  missing_token: {
    code: "UNAUTHENTICATED",
    status: 401,
    oauthStatus: 400,
    title: "Authentication required",
    oauthError: "invalid_token",
    help: "The request carries no access token. Send one as `Authorization: Bearer <access_token>` (over gRPC: the metadata key `authorization`).",
  },
  invalid_token: {
    code: "UNAUTHENTICATED",
    status: 401,
    oauthStatus: 400,
    title: "Invalid access token",
    oauthError: "invalid_token",
    help: "The access token is malformed, expired, from another issuer, or belongs to a session that has ended: refresh it, or sign in again. Or the token is genuine but not for this endpoint, and `detail` says why. Either its `aud` does not hold the service's own (AUDIENCE): the client is not first-party and has audiences of its own, or `resource` asked for a token for others. Or it was issued by the grant `client_credentials`: it has no user, and these endpoints need one.",
  },
  account_pending: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Account pending",
    oauthError: "access_denied",
    help: "The password is right, but the account has not been activated yet. An administrator activates it.",
  },
  account_suspended: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Account suspended",
    oauthError: "access_denied",
    help: "The password is right, but the account is suspended. An administrator can lift the suspension.",
  },
  account_deactivated: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Account deactivated",
    oauthError: "access_denied",
    help: "The password is right, but the account has been deactivated.",
  },
  password_change_required: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Password change required",
    oauthError: "access_denied",
    help: "The password is right, but an administrator wants it changed before it signs in. Change it: POST /auth/change-password with the username, the current password and a new one signs in too.",
  },
  unauthorized_client: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Client not authorized",
    oauthError: "unauthorized_client",
    help: "The client is known, but may not use this grant, or may not introspect tokens. The password grant is for clients marked first-party.",
  },
  insufficient_scope: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Insufficient scope",
    oauthError: "insufficient_scope",
    help: "The access token is valid, but was not granted a scope that this operation needs.",
  },
  permission_denied: {
    code: "PERMISSION_DENIED",
    status: 403,
    oauthStatus: 400,
    title: "Permission denied",
    oauthError: "insufficient_scope",
    help: "The caller may not do this, and `detail` says why. Either the caller lacks the permission that the operation needs (an administrative one), or would act on somebody above them, give what they do not hold, raise or stop themselves, or end the last admin. Or the request came with cookies: from the page of an origin that is not listed, or without the session's CSRF token.",
  },
  not_found: {
    code: "NOT_FOUND",
    status: 404,
    oauthStatus: 400,
    title: "Not Found",
    oauthError: null,
    help: "There is nothing at this path, or no such resource for the caller. A path with an empty segment names nothing. DELETE does not ignore a trailing slash if an id belongs behind it.",
    isHttps: true,
  },
  method_not_allowed: {
    code: "UNIMPLEMENTED",
    status: 405,
    oauthStatus: 405,
    title: "Method Not Allowed",
    oauthError: "invalid_request",
    help: "The path is known, but not with this method. `Allow` lists the methods that it accepts.",
    isHttps: true,
  },
  not_acceptable: {
    code: "INVALID_ARGUMENT",
    status: 406,
    oauthStatus: 400,
    title: "Not Acceptable",
    oauthError: "invalid_request",
    help: "The `Accept` header excludes every form that the answer has. Name `application/json`, or leave the header out.",
    isHttps: true,
  },
  request_timeout: {
    code: "DEADLINE_EXCEEDED",
    status: 408,
    oauthStatus: 400,
    title: "Request Timeout",
    oauthError: "invalid_request",
    help: "The request did not arrive completely in time. Send it again on a faster connection.",
    isHttps: true,
  },
  payload_too_large: {
    code: "RESOURCE_EXHAUSTED",
    status: 413,
    oauthStatus: 400,
    title: "Content Too Large",
    oauthError: "invalid_request",
    help: "The body, or a message after decompression, is too large. `detail` says how large it may be.",
    isHttps: true,
  },
  uri_too_long: {
    code: "INVALID_ARGUMENT",
    status: 414,
    oauthStatus: 400,
    title: "URI Too Long",
    oauthError: "invalid_request",
    help: "The path and query together are longer than the service reads. `detail` says how long they may be.",
    isHttps: true,
  },
  unsupported_media_type: {
    code: "INVALID_ARGUMENT",
    status: 415,
    oauthStatus: 400,
    title: "Unsupported Media Type",
    oauthError: "invalid_request",
    help: "The body has a type, a charset or a content coding that is not accepted here. Forms and JSON in UTF-8 are. For a coding, `Accept-Encoding` (over gRPC: `grpc-accept-encoding`) lists what is accepted, and the gRPC code is UNIMPLEMENTED.",
    isHttps: true,
  },
  headers_too_large: {
    code: "RESOURCE_EXHAUSTED",
    status: 431,
    oauthStatus: 400,
    title: "Request Header Fields Too Large",
    oauthError: "invalid_request",
    help: "The header fields of the request are too large or too many. Cookies are often the cause.",
    isHttps: true,
  },
  already_exists: {
    code: "ALREADY_EXISTS",
    status: 409,
    oauthStatus: 400,
    title: "Already exists",
    oauthError: null,
    help: "Something with the same name exists already.",
  },
  conflict: {
    code: "ABORTED",
    status: 409,
    oauthStatus: 400,
    title: "Conflict",
    oauthError: null,
    help: "The resource changed while the request was under way, or since the state that its `etag` names; or it is in use; or its `request_id` was used for another request. Read it again, then decide.",
  },
  rate_limited: {
    code: "RESOURCE_EXHAUSTED",
    status: 429,
    oauthStatus: 429,
    title: "Too many requests",
    oauthError: "slow_down",
    help: "The caller has sent too many requests. Wait as long as Retry-After (over gRPC: RetryInfo) says.",
  },
  cancelled: {
    code: "CANCELLED",
    status: 499,
    oauthStatus: 499,
    title: "Client Closed Request",
    oauthError: null,
    help: "The caller closed the request before the answer was ready. The reason appears only in logs and metrics, and does not count as an error of the service.",
    isHttps: true,
  },
  overloaded: {
    code: "UNAVAILABLE",
    status: 503,
    oauthStatus: 503,
    title: "Overloaded",
    oauthError: "temporarily_unavailable",
    help: "The service has more work than it can do in time, and did not begin this request. Wait as long as Retry-After (over gRPC: RetryInfo) says, then send it again.",
  },
  unavailable: {
    code: "UNAVAILABLE",
    status: 503,
    oauthStatus: 503,
    title: "Service unavailable",
    oauthError: "temporarily_unavailable",
    help: "A store that the service depends on is unreachable, or the service is shutting down. Wait as long as Retry-After (over gRPC: RetryInfo) says, then send the request again.",
  },
  deadline_exceeded: {
    code: "DEADLINE_EXCEEDED",
    status: 504,
    oauthStatus: 504,
    title: "Deadline exceeded",
    oauthError: "temporarily_unavailable",
    help: "The request was not done within its deadline. Whether it took effect is not known.",
  },
  internal: {
    code: "INTERNAL",
    status: 500,
    oauthStatus: 500,
    title: "Internal Server Error",
    oauthError: "server_error",
    help: "The service failed. The answer shows no detail; the service's log has it, under the answer's `request_id`.",
    isHttps: true,
  },
} as const satisfies Record<string, ReasonSpec>;

/** A name from the registry. */
export type Reason = keyof typeof reasons;

/** Whether a text names a reason. */
export function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text);
}

/** Whether an operator has to look into a failure: it is logged with its cause. */
export function isOurs(reason: Reason): boolean {
  return reason === "internal" || reason === "unavailable";
}
