import type { ClientContent } from "./managed-client.ts";

const names: Readonly<Record<keyof ClientContent, string>> = {
  name: "name",
  firstParty: "first_party",
  grants: "grants",
  scopes: "scopes",
  audiences: "audiences",
  redirectUris: "redirect_uris",
  postLogoutRedirectUris: "post_logout_redirect_uris",
  canIntrospect: "can_introspect",
  accessTokenTtlSeconds: "access_token_ttl_seconds",
  refreshGraceMs: "refresh_grace_ms",
};

/**
 * What a change was of, for the audit trail: the names of the fields that were set, and of the scopes that were given and
 * taken: `name scopes+orders scopes-mail`.
 */
export function describeClientChange(
  before: Pick<ClientContent, "scopes">,
  changes: Partial<ClientContent>,
): string {
  return (Object.keys(names) as (keyof ClientContent)[])
    .filter((name) => name in changes)
    .flatMap((name) =>
      name === "scopes" ? describeScopes(before.scopes, changes.scopes ?? []) : names[name],
    )
    .join(" ");
}

function describeScopes(before: readonly string[], after: readonly string[]): string[] {
  const given = after.filter((scope) => !before.includes(scope)).map((scope) => `scopes+${scope}`);
  const taken = before.filter((scope) => !after.includes(scope)).map((scope) => `scopes-${scope}`);
  return [...given, ...taken];
}
