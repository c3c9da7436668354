import { changingOperator } from "../domain/role/administrator.ts";
import { type Command, hasOption, jsonOption } from "./command.ts";
import { printJson, printLine } from "./output.ts";
import { withCore } from "./with-core.ts";

/** `countersign client rotate-secret`. */
export const clientRotateSecret: Command = {
  name: "client rotate-secret",
  operands: ["ID"],
  summary: "give a client a new secret, shown once; the old one stops at once",
  options: jsonOption,
  async run(input) {
    const id = input.operands[0] ?? "";
    const { secret } = await withCore(({ manageClients }) =>
      manageClients.rotateSecret({ id, etag: "", changer: changingOperator }),
    );
    if (hasOption(input, "json")) printJson({ id, client_secret: secret });
    else printLine(`client_secret: ${secret}`);
    return 0;
  },
};
