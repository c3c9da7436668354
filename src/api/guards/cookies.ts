import {
  clearField,
  type DescField,
  type DescMethod,
  getOption,
  isFieldSet,
  type Message,
} from "@bufbuild/protobuf";
import { AppError } from "../../errors/app-error.ts";
import { ends_session, in_cookie, oauth_endpoint } from "../../gen/countersign/v1/options_pb.ts";
import { lowerAscii } from "../../lib/http-text.ts";
import type { Call } from "../call.ts";
import { checkSite } from "./cookies/check-site.ts";
import type { CookieJar } from "./cookies/cookie-jar.ts";
import type { Guard, MakeGuard } from "./guard.ts";

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
export function cookies(auth: CookieAuth): MakeGuard {
  return (method) => {
    const use = useOf(method);
    return use === null ? null : carryTokens(auth, use);
  };
}

function carryTokens({ jar, origins, modeHeader }: CookieAuth, use: CookieUse): Guard {
  const modeField = lowerAscii(modeHeader);
  return {
    before(call, message) {
      if (message === null || !asksForCookies(call, modeField)) return undefined;
      checkSite(call, origins);
      call.usesCookies = true;
      takeFromCookie(jar, use, message, call);
      takeDeviceFromCookie(jar, use, message, call);
      return undefined;
    },
    success(call, answer) {
      if (!call.usesCookies) return;
      const token = takeOut(answer, use.gives);
      if (token !== null) {
        call.setCookies(jar.keep(token));
        call.writeNull(use.gives?.name ?? "");
      }
      const deviceToken = takeOut(answer, use.givesDevice);
      if (deviceToken !== null) call.setCookies(jar.keepDevice(deviceToken));
      if (use.ends) call.setCookies(jar.forget());
    },
    failure(call, error) {
      // Who wants to be signed out is. A refused refresh takes nothing away: it may be the answer to a cookie
      // that another tab has replaced by now.
      const isOver = error instanceof AppError && error.reason === "invalid_refresh_token";
      if (call.usesCookies && use.ends && isOver) call.setCookies(jar.forget());
    },
  };
}

function useOf(method: DescMethod): CookieUse | null {
  if (method.methodKind !== "unary" || getOption(method, oauth_endpoint)) return null;
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

function asksForCookies(call: Call, modeField: string): boolean {
  const mode = call.header(modeField);
  if (mode === undefined) return false;
  if (lowerAscii(mode) === "cookie") return true;
  throw new AppError("malformed_request", "The header field that asks for cookies has an unknown value.");
}

function takeFromCookie(jar: CookieJar, { takes, ends }: CookieUse, message: Message, call: Call): void {
  if (takes === undefined) return;
  const token = jar.readRefreshToken(call.header("cookie"));
  const isInBody = isFieldSet(message, takes);
  if (token === null) {
    // The session of an access token can be ended without.
    if (isInBody || (ends && call.header("authorization") !== undefined)) return;
    throw new AppError("invalid_refresh_token", "There is no refresh token.");
  }
  if (isInBody) {
    throw new AppError("malformed_request", "The refresh token was sent both in a cookie and in the body.");
  }
  Reflect.set(message, takes.localName, token);
}

/** A token in the request itself goes first: a page that keeps its own has asked for that device. */
function takeDeviceFromCookie(
  jar: CookieJar,
  { takesDevice }: CookieUse,
  message: Message,
  call: Call,
): void {
  const token = jar.readDeviceToken(call.header("cookie"));
  if (takesDevice === undefined || token === null || isFieldSet(message, takesDevice)) return;
  Reflect.set(message, takesDevice.localName, token);
}

/** The text of a field, which is then unset; null where it was not set. */
function takeOut(message: Message, field: DescField | undefined): string | null {
  if (field === undefined || !isFieldSet(message, field)) return null;
  const text: unknown = Reflect.get(message, field.localName);
  clearField(message, field);
  return typeof text === "string" ? text : null;
}
