import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { SigningKey } from "../../gen/countersign/v1/keys_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printJson, printLine } from "../output.ts";

/** `countersign key rotate`. */
export const keyRotate: Command = {
  name: "key rotate",
  operands: [],
  summary: "make a new signing key, which signs after 15 minutes",
  details: [
    "The service does this by itself when a key has signed for SIGNING_KEY_LIFETIME. While a",
    "published key waits for its time to sign, no other is made.",
  ],
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const { made, key } = await api.keys.rotateKey({});
      if (key === undefined) throw new Error("The service has answered without the key.");
      if (hasOption(input, "json")) printJson({ made, ...api.toJson(key) });
      else printLine(`a new key is published${made ? "" : " already"}; it signs ${whenItSigns(key)}`);
      return 0;
    }),
};

function whenItSigns({ state, signsFrom }: SigningKey): string {
  if (state === "signs" || signsFrom === undefined) return "at once";
  const minutes = Math.max(1, Math.ceil((timestampMs(signsFrom) - Date.now()) / 60_000));
  return minutes === 1 ? "in 1 minute" : `in ${minutes} minutes`;
}
