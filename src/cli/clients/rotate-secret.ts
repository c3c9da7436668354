import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printJson, printLine } from "../output.ts";

/** `countersign client rotate-secret`. */
export const clientRotateSecret: Command = {
  name: "client rotate-secret",
  operands: ["ID"],
  summary: "give a client a new secret, shown once; the old one stops at once",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const [id = ""] = input.operands;
      const { clientSecret } = await api.clients.rotateClientSecret({ clientId: id });
      if (hasOption(input, "json")) printJson({ id, client_secret: clientSecret });
      else printLine(`client_secret: ${clientSecret}`);
      return 0;
    }),
};
