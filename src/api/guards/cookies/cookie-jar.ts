import { AppError } from "../../../errors/app-error.ts";
import { trimOws } from "../../../lib/http-text.ts";

/** The cookies of a signed-in browser. */
export interface CookieJar {
  /** The refresh token in the request's Cookie header; null for none. @throws AppError malformed_request for two */
  readRefreshToken(cookieHeader: string | undefined): string | null;
  /** The device token in the request's Cookie header; null for none, or for two that contradict each other. */
  readDeviceToken(cookieHeader: string | undefined): string | null;
  /** The Set-Cookie line of a session. */
  keep(refreshToken: string): readonly string[];
  /** The Set-Cookie line of a device that has signed in. */
  keepDevice(deviceToken: string): readonly string[];
  /**
   * The Set-Cookie line that takes a session's away: a browser forgets a cookie only by equal attributes. The
   * device stays known.
   */
  forget(): readonly string[];
}

/** Only the page's own site sends them, only over a trustworthy connection, and only this host has set them. */
const attributes = "Path=/; Secure; SameSite=Strict; HttpOnly";

/**
 * @param isHttps whether the issuer is reached by https: then the names bind the cookies to this very
 *   host (RFC 6265bis section 4.1.3.2)
 * @param maxAges how long the browser keeps them, in seconds: a session's, counted anew with every refresh,
 *   and a device's, counted anew with every login
 */
export function createCookieJar(
  isHttps: boolean,
  maxAges: { readonly session: number; readonly device: number },
): CookieJar {
  const prefix = isHttps ? "__Host-" : "";
  const device = `${prefix}countersign_device`;
  const refresh = `${prefix}countersign_refresh`;
  const line = (name: string, value: string, maxAge: number) => [
    `${name}=${value}; Max-Age=${maxAge}; ${attributes}`,
  ];
  return {
    readRefreshToken(cookieHeader) {
      const [value = null, ...others] = readCookies(cookieHeader ?? "", refresh);
      if (others.length > 0) throw new AppError("malformed_request", "The refresh cookie was sent twice.");
      return value === "" ? null : value;
    },
    readDeviceToken(cookieHeader) {
      const [value = null, ...others] = readCookies(cookieHeader ?? "", device);
      return value === "" || others.length > 0 ? null : value;
    },
    keep: (token) => line(refresh, token, maxAges.session),
    keepDevice: (token) => line(device, token, maxAges.device),
    forget: () => line(refresh, "", 0),
  };
}

/**
 * RFC 6265 section 4.2.1. Names are compared byte by byte: a browser keeps a cookie of another host whose name
 * begins with U+00A0, say, for another name than ours, and so it is.
 */
function readCookies(header: string, name: string): string[] {
  return header
    .split(";")
    .map(trimOws)
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
