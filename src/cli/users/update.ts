import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, jsonOption, stringOption, UsageError } from "../command.ts";
import { fieldOptions, readClaims } from "./fields.ts";
import { reportUser } from "./report-user.ts";
import { findUser, idOption, nameDetail } from "./user-operand.ts";

/** `countersign user update`. */
export const userUpdate: Command = {
  name: "user update",
  operands: ["NAME"],
  summary: "change a user's name, address, display name, locale or claims",
  details: [nameDetail, 'An empty value takes away what there is: --email "". Sessions go on.'],
  options: {
    username: { value: "NAME", help: "the name" },
    email: { value: "ADDRESS", help: "the e-mail address" },
    ...fieldOptions,
    ...idOption,
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const given = (["username", "email", "display-name", "locale", "claims"] as const).filter(
      (name) => input.options[name] !== undefined,
    );
    if (given.length === 0) throw new UsageError("Say what is to be changed: --email, for example.");
    const claims = readClaims(input);
    const text = (name: string): string | undefined => stringOption(input, name) || undefined;
    const fields = {
      username: text("username"),
      email: text("email"),
      displayName: text("display-name"),
      locale: text("locale"),
    };
    const set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const updateMask = { paths: given.map((name) => name.replace("-", "_")) };
    return withApi(input, async (api) => {
      const { id: userId } = await findUser(api, input, input.operands[0] ?? "");
      const request = { userId, ...set, ...(claims === undefined ? {} : { claims }), updateMask };
      reportUser(api, input, "changed", await api.users.updateUser(request));
      return 0;
    });
  },
};
