import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printJson, printLine } from "../output.ts";

/** `countersign key drop`. */
export const keyDrop: Command = {
  name: "key drop",
  operands: ["KID"],
  // A thumbprint (RFC 7638): base64url of 32 bytes.
  operandForm: /^[A-Za-z0-9_-]{43}$/,
  summary: "drop a leaked signing key at once",
  details: [
    "This service refuses the key's tokens within 2 seconds; other verifiers do so when they",
    "fetch the JWK set again (5 minutes). If the key was signing, the next key signs.",
  ],
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const [kid = ""] = input.operands;
      await api.keys.dropKey({ kid });
      if (hasOption(input, "json")) printJson({ dropped: kid });
      else printLine(`dropped ${kid}`);
      return 0;
    }),
};
