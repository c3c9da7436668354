import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import {
  type Command,
  type CommandInput,
  jsonOption,
  stringOption,
  stringOptions,
  UsageError,
} from "../command.ts";
import { contentOptions, readContent } from "./content.ts";
import { reportClient } from "./report-client.ts";

/** The fields of the contract, by their options. */
const fields = {
  name: "name",
  grant: "grants",
  scope: "scopes",
  audience: "audiences",
  "redirect-uri": "redirect_uris",
  "logout-uri": "post_logout_redirect_uris",
  "access-token-ttl": "access_token_ttl_seconds",
  "refresh-grace": "refresh_grace_ms",
  "first-party": "first_party",
  introspect: "can_introspect",
} as const;

/** `countersign client update`. */
export const clientUpdate: Command = {
  name: "client update",
  operands: ["ID"],
  summary: "change what a client is registered with",
  details: [
    "What is given takes the place of what there is: all scopes, if any is given. An empty",
    'value takes away what there is: --scope "". Whether a client is public stays as it is.',
  ],
  options: {
    ...contentOptions,
    "first-party": { value: "YES", help: "yes or no: it is your own, and may see passwords" },
    introspect: {
      value: "YES",
      help: "yes or no: it may inspect its own tokens, and tokens for its audiences",
    },
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const given = Object.entries(fields).filter(([option]) => input.options[option] !== undefined);
    if (given.length === 0) throw new UsageError("Say what is to be changed: --scope, for example.");
    const content = readContent(withoutEmpty(input));
    const switches = {
      firstParty: readSwitch(input, "first-party"),
      canIntrospect: readSwitch(input, "introspect"),
    };
    const set = Object.fromEntries(Object.entries(switches).filter(([, value]) => value !== undefined));
    const updateMask = { paths: given.map(([, field]) => field) };
    return withApi(input, async (api) => {
      const clientId = input.operands[0] ?? "";
      reportClient(
        api,
        input,
        "changed",
        await api.clients.updateClient({ clientId, ...content, ...set, updateMask }),
      );
      return 0;
    });
  },
};

/** A list of one empty value is an empty list. */
function withoutEmpty(input: CommandInput): CommandInput {
  const options = Object.entries(input.options).map(([name, value]) =>
    Array.isArray(value) ? [name, stringOptions(input, name).filter((each) => each !== "")] : [name, value],
  );
  return { ...input, options: Object.fromEntries(options) as CommandInput["options"] };
}

function readSwitch(input: CommandInput, option: string): boolean | undefined {
  const text = stringOption(input, option);
  if (text === undefined) return undefined;
  if (text === "yes" || text === "no") return text === "yes";
  throw new UsageError(`--${option} must be yes or no.`);
}
