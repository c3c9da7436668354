import type { Role } from "../../gen/countersign/v1/roles_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import { type Command, hasOption, jsonOption } from "../command.ts";
import { isOutputClosed, printJson } from "../output.ts";
import { readPages } from "../pages.ts";
import { createTable } from "../table.ts";

const pageSize = 500;

/** `countersign role list`. */
export const roleList: Command = {
  name: "role list",
  operands: [],
  summary: "list the roles, by name",
  options: { ...jsonOption, ...targetOptions },
  run: (input) =>
    withApi(input, async (api) => {
      const table = createTable(["NAME", "KIND", "PERMISSIONS", "SCOPES"]);
      for await (const role of listRoles(api)) {
        if (isOutputClosed()) return 0;
        if (hasOption(input, "json")) printJson(api.toJson(role));
        else table.add(toCells(role));
      }
      if (!hasOption(input, "json")) table.end();
      return 0;
    }),
};

/** All roles, by name. */
export function listRoles(api: Api): AsyncGenerator<Role> {
  return readPages(async (pageToken) => {
    const { roles, nextPageToken } = await api.roles.listRoles({ pageToken, pageSize });
    return { items: roles, nextPageToken };
  });
}

function toCells({ name, builtIn, permissions, scopes }: Role): string[] {
  const count = (items: readonly string[]): string =>
    items.length > 3 ? `${items.slice(0, 2).join(",")} and ${items.length - 2} more` : items.join(",") || "-";
  return [name, builtIn ? "built in" : "own", count(permissions), count(scopes)];
}
