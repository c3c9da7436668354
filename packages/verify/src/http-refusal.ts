import type { VerifyError } from "./verify-error.ts";

/** What a refused call is answered over HTTP. */
export interface HttpRefusal {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** A problem by RFC 9457, in JSON. */
  readonly body: string;
}

/** RFC 6750 section 3: a challenge names no error where there was no token. */
export function presentHttpRefusal(error: VerifyError): HttpRefusal {
  const { status, title, headers } = answerOf(error);
  return {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
    body: JSON.stringify({ type: "about:blank", title, status, detail: error.message, reason: error.reason }),
  };
}

function answerOf({ kind, reason, message }: VerifyError): {
  readonly status: HttpRefusal["status"];
  readonly title: string;
  readonly headers: Record<string, string>;
} {
  if (kind === "unavailable") {
    return { status: 503, title: "Service Unavailable", headers: { "retry-after": "1" } };
  }
  const challenge = (name: string) => ({
    "www-authenticate": `Bearer error="${name}", error_description="${message}"`,
  });
  if (kind === "denied") return { status: 403, title: "Forbidden", headers: challenge("insufficient_scope") };
  const headers = reason === "missing_token" ? { "www-authenticate": "Bearer" } : challenge("invalid_token");
  return { status: 401, title: "Unauthorized", headers };
}
