import { grantTypes, isGrantType } from "../../domain/client/client.ts";
import { parseDurationMs } from "../../lib/duration.ts";
import { wholeSeconds } from "../../lib/whole-seconds.ts";
import { type CommandInput, stringOption, stringOptions, UsageError } from "../command.ts";

/** The options for what a client is registered with. */
export const contentOptions = {
  name: { value: "NAME", help: "for people; the id by default" },
  grant: { value: "GRANT", multiple: true, help: `${grantTypes.join(", ")}; one or several` },
  scope: { value: "SCOPE", multiple: true, help: "a scope that it may ask for; can be given several times" },
  audience: {
    value: "AUDIENCE",
    multiple: true,
    help: "whom its access tokens are for; one or several; AUDIENCE by default",
  },
  "redirect-uri": { value: "URL", multiple: true, help: "where its users may be sent back to" },
  "logout-uri": { value: "URL", multiple: true, help: "where they may be sent after signing out" },
  "access-token-ttl": { value: "DURATION", help: "how long its access tokens live, such as 5m; at most 1d" },
  "refresh-grace": { value: "DURATION", help: "how long its rotated refresh tokens still work" },
} as const;

/** What was given of it; what was not is empty. @throws UsageError */
export function readContent(input: CommandInput) {
  const list = (option: string): string[] => [...new Set(stringOptions(input, option))];
  const [ttlMs, graceMs] = [
    readDurationMs(input, "access-token-ttl", 86_400_000),
    readDurationMs(input, "refresh-grace", 600_000),
  ];
  if (ttlMs !== null && ttlMs < 10_000) throw new UsageError("--access-token-ttl must be at least 10s.");
  return {
    name: stringOption(input, "name") ?? "",
    grants: list("grant").map(requireGrant),
    scopes: list("scope"),
    audiences: list("audience"),
    redirectUris: list("redirect-uri"),
    postLogoutRedirectUris: list("logout-uri"),
    ...(ttlMs === null ? {} : { accessTokenTtlSeconds: wholeSeconds(ttlMs) }),
    ...(graceMs === null ? {} : { refreshGraceMs: graceMs }),
  };
}

function requireGrant(grant: string): string {
  if (isGrantType(grant)) return grant;
  throw new UsageError(`A grant must be one of ${grantTypes.join(", ")}.`);
}

function readDurationMs(input: CommandInput, option: string, mostMs: number): number | null {
  const text = stringOption(input, option);
  // An empty value takes away what there is.
  if (text === undefined || text === "") return null;
  const value = parseDurationMs(text);
  if (value !== null && value <= mostMs) return value;
  throw new UsageError(
    `--${option} must be a duration with its unit (ms, s, m, h, d), at most ${mostMs / 1000}s.`,
  );
}
