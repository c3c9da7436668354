import { createHmac, timingSafeEqual } from "node:crypto";
import type { SecretKeys } from "../key/secret-keys.ts";
import { openToken } from "./refresh-token.ts";

/**
 * The token that a browser shows beside a refresh token which travels in a cookie: an HMAC over the
 * session's handle. Whoever cannot read the session's own cookies cannot know it, and one session's is
 * worth nothing for another.
 *
 * @param refreshToken of any generation; its tag is not looked at
 * @returns null where the text has not the form of a refresh token under a key of SECRET_KEY
 */
export function deriveCsrfToken(refreshToken: string, secretKeys: SecretKeys): string | null {
  const opened = openToken(refreshToken, secretKeys);
  if (opened === null) return null;
  return createHmac("sha256", opened.key.derive("csrf")).update(opened.handle).digest("base64url");
}

/** Whether a token is the one of a refresh token. */
export function isCsrfTokenOf(csrfToken: string, refreshToken: string, secretKeys: SecretKeys): boolean {
  const expected = deriveCsrfToken(refreshToken, secretKeys);
  if (expected === null) return false;
  const [shown, right] = [Buffer.from(csrfToken), Buffer.from(expected)];
  return shown.byteLength === right.byteLength && timingSafeEqual(shown, right);
}
