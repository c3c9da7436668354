import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { printDetails } from "../details.ts";
import { printJson } from "../output.ts";

/** `countersign whoami`. */
export const whoamiCommand: Command = {
  name: "whoami",
  operands: [],
  summary: "show whom commands act as",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const found = await findCaller(api);
      if (hasOption(input, "json")) printJson(found);
      else printDetails(found);
      return 0;
    }),
};

async function findCaller(api: Api): Promise<Record<string, unknown>> {
  const caller = await api.caller();
  if (caller === null) return { operator: true };
  return caller.kind === "client" ? { client_id: caller.id } : api.toJson(await api.auth.getCurrentUser({}));
}
