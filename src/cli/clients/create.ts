import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { contentOptions, readContent } from "./content.ts";
import { reportClient } from "./report-client.ts";

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
    ...contentOptions,
    public: { help: "it cannot keep a secret: an app on a user's device" },
    "first-party": { help: "it is your own, and may see passwords" },
    introspect: { help: "it may inspect its own tokens, and tokens for its audiences" },
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const request = {
      ...readContent(input),
      clientId: input.operands[0] ?? "",
      public: hasOption(input, "public"),
      firstParty: hasOption(input, "first-party"),
      canIntrospect: hasOption(input, "introspect"),
    };
    return withApi(input, async (api) => {
      const { client, clientSecret } = await api.clients.createClient(request);
      reportClient(api, input, "registered", client, clientSecret);
      return 0;
    });
  },
};
