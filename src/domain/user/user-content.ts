import type { FieldError } from "../../errors/app-error.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import { bytesOfJson, tokenBudget } from "../token/token-budget.ts";
import { checkEmail, checkRoles, checkUsername } from "./names.ts";
import type { User } from "./user.ts";

/** What administrators can set of a user, but for the password and the status. */
export type UserContent = Pick<User, "username" | "email" | "displayName" | "locale" | "roles" | "claims">;

/** What the claims of one user may take: every access token carries them. As JSON. */
const claimsBytesMax = 1_024;
const budget = tokenBudget.rolesAndClaims;
const displayNameCharsMax = 200;
const localeCharsMax = 35;
const claimNameForm = /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/;
// BCP 47, as far as its form goes.
const localeForm = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/;

/** The names that RFC 7519, 7800, 8693, 9068 and OpenID Connect define for such tokens, and our own. */
const takenClaims: ReadonlySet<string> = new Set(
  `iss sub aud exp nbf iat jti client_id client_reg scope sid auth_time amr acr azp nonce at_hash c_hash cnf act may_act
  roles groups entitlements typ events sub_id`.split(/\s+/),
);

/** Finds what is wrong with a user. */
export function checkUserContent(content: UserContent): FieldError[] {
  const { username, email, displayName, locale, roles, claims } = content;
  return [
    ...(username === null ? [] : checkUsername(username)),
    ...(email === null ? [] : checkEmail(email)),
    ...(username === null && email === null ? [wrong("username", "required", "or email is required")] : []),
    ...(displayName === null || isDisplayName(displayName)
      ? []
      : [wrong("display_name", "bad_form", "must be 1 to 200 characters without control characters")]),
    ...(locale === null || (locale.length <= localeCharsMax && localeForm.test(locale))
      ? []
      : [wrong("locale", "bad_form", "must be a language tag (BCP 47)")]),
    ...checkRoles(roles),
    ...(claims === null ? [] : checkClaims(claims)),
    ...(claims === null || fitsIntoToken(roles, claims)
      ? []
      : [wrong("claims", "too_long", `must be, with the roles, at most ${budget} bytes of JSON`)]),
  ];
}

function isDisplayName(text: string): boolean {
  return text !== "" && text.length <= displayNameCharsMax && !/[\p{Cc}\p{Cs}]/u.test(text);
}

function checkClaims(claims: NonNullable<User["claims"]>): FieldError[] {
  const names = Object.keys(claims);
  const json = toJson(claims);
  if (json === null || Buffer.byteLength(json) > claimsBytesMax) {
    return [wrong("claims", "too_long", `must be at most ${claimsBytesMax} bytes of JSON`)];
  }
  if (names.some((name) => takenClaims.has(name))) {
    return [wrong("claims", "not_allowed", "must not hold a claim that the service or an RFC defines")];
  }
  // What the database cannot hold in JSON: a NUL, and halves of characters.
  if (!names.every((name) => claimNameForm.test(name)) || /\\u(?:0000|d[89a-f])/i.test(json)) {
    return [
      wrong("claims", "bad_form", "must have names of letters, digits and ._:/- , and hold text alone"),
    ];
  }
  return [];
}

function fitsIntoToken(roles: readonly string[], claims: NonNullable<User["claims"]>): boolean {
  const json = toJson(claims);
  return json === null || bytesOfJson(roles) + Buffer.byteLength(json) <= budget;
}

/** Null where it is nested more deeply than the stack is. */
function toJson(value: object): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}

function wrong(field: string, code: FieldCode, detail: string): FieldError {
  return { field, code, detail };
}
