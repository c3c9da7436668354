import { type DescField, type DescMethod, getOption, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Interceptor } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import { ends_session, in_cookie, oauth_endpoint } from "../../gen/countersign/v1/options_pb.ts";
import { lowerAscii } from "../../lib/http-text.ts";
import { type CallContext, callContextKey } from "../call-context.ts";
import { checkSite } from "./cookies/check-site.ts";
import type { CookieJar } from "./cookies/cookie-jar.ts";

/** What signing in by cookies is made of. */
export interface CookieAuth {
  readonly jar: CookieJar;
  /** The request header field that asks for cookies, with the value `cookie`. */
  readonly modeHeader: string;
  /** The origins whose pages may use cookies: the service's own, and those of CORS_ORIGINS. */
  readonly origins: ReadonlySet<string>;
}

/** How an RPC uses cookies. */
interface CookieUse {
  /** The request's field that a cookie may stand for. */
  readonly takes: DescField | undefined;
  /** The answer's field that goes into a cookie. */
  readonly gives: DescField | undefined;
  /** The request's and the answer's field of a device token, which a cookie may stand for as well. */
  readonly takesDevice: DescField | undefined;
  readonly givesDevice: DescField | undefined;
  /** Whether its success is the end of the caller's session. */
  readonly ends: boolean;
}

/**
 * If a caller asks for it by a header field, the refresh token and the device token travel in cookies: the request takes
 * them from there, and the answer puts them there. A browser sends cookies by itself, so such a request must come from an
 * allowed page: only such a page can send the header field, and its Origin is the service's or a listed one
 * (docs/browsers.md has the reasons). Nothing changes for other callers, nor at the endpoints of RFC 6749 and 7009.
 */
export function cookies(auth: CookieAuth, methods: Iterable<DescMethod>): Interceptor {
  const uses = new Map<DescMethod, CookieUse>();
  for (const method of methods) {
    const use = useOf(method);
    if (use !== null) uses.set(method, use);
  }
  return (next) => async (request) => {
    const use = uses.get(request.method);
    if (use === undefined || request.stream || !asksForCookies(request.header, auth.modeHeader)) {
      return next(request);
    }
    const call = request.contextValues.get(callContextKey);
    checkSite(request.header, auth.origins);
    try {
      takeFromCookie(auth, use, request.method, request.message, request.header);
      takeDeviceFromCookie(auth, use, request.method, request.message, request.header);
      const response = await next(request);
      if (!response.stream) {
        putIntoCookie(auth, use, request.method, response.message, call);
        putDeviceIntoCookie(auth, use, request.method, response.message, call);
      }
      if (use.ends) call.setCookies(auth.jar.forget());
      return response;
    } catch (error) {
      // Who wants to be signed out is. A refused refresh takes nothing away: it may be the answer to a cookie
      // that another tab has replaced by now.
      if (use.ends && error instanceof AppError && error.reason === "invalid_refresh_token") {
        call.setCookies(auth.jar.forget());
      }
      throw error;
    }
  };
}

function useOf(method: DescMethod): CookieUse | null {
  if (getOption(method, oauth_endpoint)) return null;
  const takes = fieldOf(method.input, "refresh_token");
  const gives = fieldOf(method.output, "refresh_token");
  const ends = getOption(method, ends_session);
  if (takes === undefined && gives === undefined && !ends) return null;
  const takesDevice = fieldOf(method.input, "device_token");
  return { takes, gives, takesDevice, givesDevice: fieldOf(method.output, "device_token"), ends };
}

function fieldOf({ fields }: DescMethod["input"], name: string): DescField | undefined {
  return fields.find((field) => field.name === name && getOption(field, in_cookie));
}

function asksForCookies(header: Headers, modeHeader: string): boolean {
  const mode = header.get(modeHeader);
  if (mode === null) return false;
  if (lowerAscii(mode) === "cookie") return true;
  throw new AppError("malformed_request", "The header field that asks for cookies has an unknown value.");
}

function takeFromCookie(
  auth: CookieAuth,
  { takes, ends }: CookieUse,
  method: DescMethod,
  message: Message,
  header: Headers,
): void {
  if (takes === undefined) return;
  const request = reflect(method.input, message);
  const token = auth.jar.readRefreshToken(header.get("cookie"));
  if (token === null) {
    // The session of an access token can be ended without.
    if (request.isSet(takes) || (ends && header.has("authorization"))) return;
    throw new AppError("invalid_refresh_token", "There is no refresh token.");
  }
  if (request.isSet(takes)) {
    throw new AppError("malformed_request", "The refresh token was sent both in a cookie and in the body.");
  }
  request.set(takes, token);
}

function putIntoCookie(
  auth: CookieAuth,
  { gives }: CookieUse,
  method: DescMethod,
  message: Message,
  call: CallContext,
): void {
  if (gives === undefined) return;
  const answer = reflect(method.output, message);
  const token: unknown = answer.isSet(gives) ? answer.get(gives) : null;
  if (typeof token !== "string") return;
  answer.clear(gives);
  call.setCookies(auth.jar.keep(token));
  call.writeNull(gives.name);
}

/** A token in the request itself goes first: a page that keeps its own has asked for that device. */
function takeDeviceFromCookie(
  auth: CookieAuth,
  { takesDevice }: CookieUse,
  method: DescMethod,
  message: Message,
  header: Headers,
): void {
  const token = auth.jar.readDeviceToken(header.get("cookie"));
  if (takesDevice === undefined || token === null) return;
  const request = reflect(method.input, message);
  if (!request.isSet(takesDevice)) request.set(takesDevice, token);
}

function putDeviceIntoCookie(
  auth: CookieAuth,
  { givesDevice }: CookieUse,
  method: DescMethod,
  message: Message,
  call: CallContext,
): void {
  if (givesDevice === undefined) return;
  const answer = reflect(method.output, message);
  const token: unknown = answer.isSet(givesDevice) ? answer.get(givesDevice) : null;
  if (typeof token !== "string") return;
  answer.clear(givesDevice);
  call.setCookies(auth.jar.keepDevice(token));
}
