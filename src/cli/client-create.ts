import { grantTypes, isGrantType } from "../domain/client/client.ts";
import { onlyOnce } from "../domain/repeat/repeats.ts";
import { changingOperator } from "../domain/role/administrator.ts";
import { parseDurationMs } from "../lib/duration.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import {
  type Command,
  type CommandInput,
  hasOption,
  jsonOption,
  stringOption,
  stringOptions,
  UsageError,
} from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { presentClient } from "./present-client.ts";
import { withCore } from "./with-core.ts";

/** `countersign client create`. */
export const clientCreate: Command = {
  name: "client create",
  operands: ["ID"],
  summary: "register a client; its secret is random and shown once",
  details: [
    "A client is confidential, and gets a secret, unless --public is given. A service that",
    "acts for itself, and an API that inspects tokens:",
    "",
    "  countersign client create billing --grant client_credentials --scope invoices",
    "  countersign client create api --grant client_credentials --introspect --audience api",
  ],
  options: {
    name: { value: "NAME", help: "for people; the id by default" },
    public: { help: "it cannot keep a secret: an app on a user's device" },
    "first-party": { help: "it is your own, and may see passwords" },
    grant: { value: "GRANT", multiple: true, help: `${grantTypes.join(", ")}; one or several` },
    scope: {
      value: "SCOPE",
      multiple: true,
      help: "a scope that it may ask for; can be given several times",
    },
    audience: {
      value: "AUDIENCE",
      multiple: true,
      help: "whom its access tokens are for; one or several; AUDIENCE by default",
    },
    "redirect-uri": { value: "URL", multiple: true, help: "where its users may be sent back to" },
    "logout-uri": { value: "URL", multiple: true, help: "where they may be sent after signing out" },
    introspect: { help: "it may inspect its own tokens, and tokens for its audiences" },
    "access-token-ttl": {
      value: "DURATION",
      help: "how long its access tokens live, such as 5m; at most 1d",
    },
    "refresh-grace": { value: "DURATION", help: "how long its rotated refresh tokens still work" },
    ...jsonOption,
  },
  async run(input) {
    const id = input.operands[0] ?? "";
    const draft = {
      id,
      name: stringOption(input, "name") ?? id,
      confidential: !hasOption(input, "public"),
      firstParty: hasOption(input, "first-party"),
      grants: readGrants(input),
      scopes: [...new Set(stringOptions(input, "scope"))],
      audiences: [...new Set(stringOptions(input, "audience"))],
      redirectUris: [...new Set(stringOptions(input, "redirect-uri"))],
      postLogoutRedirectUris: [...new Set(stringOptions(input, "logout-uri"))],
      canIntrospect: hasOption(input, "introspect"),
      accessTokenTtlSeconds: readTtlSeconds(input),
      refreshGraceMs: readDurationMs(input, "refresh-grace", 600_000),
    };
    const { client, secret } = await withCore(({ manageClients }) =>
      manageClients.create(draft, changingOperator, onlyOnce),
    );
    if (hasOption(input, "json")) {
      printJson({ ...presentClient(client), ...(secret === null ? {} : { client_secret: secret }) });
    } else {
      printLine(`registered ${client.id}`);
      if (secret !== null) printLine(`client_secret: ${secret}`);
    }
    return 0;
  },
};

function readGrants(input: CommandInput): (typeof grantTypes)[number][] {
  return [...new Set(stringOptions(input, "grant"))].map((grant) => {
    if (isGrantType(grant)) return grant;
    throw new UsageError(`A grant must be one of ${grantTypes.join(", ")}.`);
  });
}

function readTtlSeconds(input: CommandInput): number | null {
  const ttlMs = readDurationMs(input, "access-token-ttl", 86_400_000);
  if (ttlMs === null) return null;
  if (ttlMs < 10_000) throw new UsageError("--access-token-ttl must be at least 10s.");
  return wholeSeconds(ttlMs);
}

function readDurationMs(input: CommandInput, option: string, mostMs: number): number | null {
  const text = stringOption(input, option);
  if (text === undefined) return null;
  const value = parseDurationMs(text);
  if (value !== null && value <= mostMs) return value;
  throw new UsageError(
    `--${option} must be a duration with its unit (ms, s, m, h, d), at most ${mostMs / 1000}s.`,
  );
}
