import type { FieldError } from "../../errors/app-error.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import { isScopeToken } from "../../lib/scope-token.ts";
import { bytesOfJson, tokenBudget } from "../token/token-budget.ts";
import { builtinClientId } from "./builtin-client.ts";
import type { ClientDraft } from "./managed-client.ts";
import { isRedirectUri } from "./redirect-uri.ts";

const idForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$/;
const nameCharsMax = 200;
const scopeCharsMax = 128;
const audienceBytesMax = 255;
const redirectsMax = { count: 32, bytes: 4_096 } as const;
const ttlSeconds = { min: 10, max: 86_400 } as const;
const graceMsMax = 600_000;

type Problem = readonly [isWrong: boolean, field: string, code: FieldCode, detail: string];

/** Whether a text can be the id of a client. */
export function isClientId(text: string): boolean {
  return idForm.test(text);
}

/** Finds what is wrong with a client. */
export function checkClient(client: ClientDraft): FieldError[] {
  const problems = [
    ...aboutItself(client),
    ...aboutGrants(client),
    ...aboutTokens(client),
    ...aboutRedirects(client),
  ];
  return problems.filter(([isWrong]) => isWrong).map(([, field, code, detail]) => ({ field, code, detail }));
}

function aboutItself({ id, name }: ClientDraft): Problem[] {
  const isName = name !== "" && name.length <= nameCharsMax && isPlainText(name);
  return [
    [!isClientId(id), "id", "bad_form", "must be letters, digits, dots, colons, dashes and underscores"],
    [id === builtinClientId, "id", "not_allowed", "is the built-in client's"],
    [!isName, "name", "bad_form", `must be 1 to ${nameCharsMax} characters long, without control characters`],
  ];
}

function aboutGrants({ grants, firstParty, confidential, canIntrospect }: ClientDraft): Problem[] {
  return [
    [grants.length === 0, "grants", "required", "must name at least one grant"],
    [
      grants.includes("password") && !firstParty,
      "grants",
      "not_allowed",
      "must not hold password unless the client is first-party",
    ],
    [
      grants.includes("client_credentials") && !confidential,
      "grants",
      "not_allowed",
      "must not hold client_credentials unless the client has a secret",
    ],
    [canIntrospect && !confidential, "can_introspect", "not_allowed", "is for clients that have a secret"],
  ];
}

function aboutTokens({ scopes, audiences, accessTokenTtlSeconds, refreshGraceMs }: ClientDraft): Problem[] {
  const ttl = accessTokenTtlSeconds ?? ttlSeconds.min;
  const graceMs = refreshGraceMs ?? 0;
  return [
    [
      !scopes.every((scope) => scope.length <= scopeCharsMax && isScopeToken(scope)),
      "scopes",
      "bad_form",
      "must be scope names (RFC 6749 section 3.3)",
    ],
    [
      scopes.join(" ").length > tokenBudget.scopes,
      "scopes",
      "too_long",
      `must be at most ${tokenBudget.scopes} bytes long in all`,
    ],
    [audiences.includes(""), "audiences", "required", "must not be empty"],
    [
      !audiences.every(
        (audience) => Buffer.byteLength(audience) <= audienceBytesMax && isPlainText(audience),
      ),
      "audiences",
      "bad_form",
      `must be at most ${audienceBytesMax} bytes long each, without control characters`,
    ],
    [
      bytesOfJson(audiences) > tokenBudget.audiences,
      "audiences",
      "too_long",
      `must be at most ${tokenBudget.audiences} bytes of JSON in all`,
    ],
    [
      ttl < ttlSeconds.min || ttl > ttlSeconds.max,
      "access_token_ttl_seconds",
      "out_of_range",
      `must be from ${ttlSeconds.min} to ${ttlSeconds.max}`,
    ],
    [
      graceMs < 0 || graceMs > graceMsMax,
      "refresh_grace_ms",
      "out_of_range",
      `must be at most ${graceMsMax}`,
    ],
  ];
}

function aboutRedirects(client: ClientDraft): Problem[] {
  return (
    [
      ["redirect_uris", client.redirectUris],
      ["post_logout_redirect_uris", client.postLogoutRedirectUris],
    ] as const
  ).flatMap(([field, uris]): Problem[] => [
    [uris.length > redirectsMax.count, field, "too_many", `must be at most ${redirectsMax.count}`],
    [
      uris.join("").length > redirectsMax.bytes,
      field,
      "too_long",
      `must be at most ${redirectsMax.bytes} bytes long in all`,
    ],
    [
      !uris.every((uri) => isRedirectUri(uri, client)),
      field,
      "bad_form",
      "must be https addresses in their one spelling, without fragment, wildcard and credentials; for a public client also http://127.0.0.1 or http://[::1]",
    ],
  ]);
}

/** Without control characters and halves of characters, which the store does not take or shows badly. */
function isPlainText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}
