import { type DescField, type DescMethod, getOption, type JsonObject } from "@bufbuild/protobuf";
import { ends_session, in_cookie, oauth_endpoint } from "../gen/countersign/v1/options_pb.ts";

/** How an operation uses the cookies of a browser. */
export interface CookieWay {
  /** Whether a cookie stands for the session's token in the request. */
  readonly takesSession: boolean;
  /** Whether a success sets or removes cookies. */
  readonly setsCookies: boolean;
}

/** @returns null for an operation that uses no cookies */
export function cookieWayOf(method: DescMethod): CookieWay | null {
  if (getOption(method, oauth_endpoint)) return null;
  const takes = method.input.fields.filter(isInCookie);
  const setsCookies = getOption(method, ends_session) || method.output.fields.some(isInCookie);
  if (takes.length === 0 && !setsCookies) return null;
  return { takesSession: takes.some(({ name }) => name === "refresh_token"), setsCookies };
}

function isInCookie(field: DescField): boolean {
  return getOption(field, in_cookie);
}

/** Asks for the cookie way; docs/browsers.md describes it. */
export const authModeReference: JsonObject = { $ref: "#/components/parameters/AuthMode" };

/** The parameters that operations refer to. The field's name is the service's own when the document is served. */
export const cookieParameters: JsonObject = {
  AuthMode: {
    name: "X-Auth-Mode",
    in: "header",
    required: false,
    description:
      "`cookie` asks for the refresh token and the device token in cookies, which no script can read. It is for pages of the service's own site, which send credentials along. A value that a cookie holds need not be in the body.",
    schema: { type: "string", enum: ["cookie"] },
  },
};

/** The header of an answer that sets or removes cookies. */
export const setCookieHeader: JsonObject = {
  description:
    "With `X-Auth-Mode: cookie`: the session's refresh token, and the device token of a known device, each in a cookie that is HttpOnly, Secure and SameSite=Strict. A logout removes the session's cookie.",
  schema: { type: "string" },
};
