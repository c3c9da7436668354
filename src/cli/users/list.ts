import type { ManagedUser } from "../../gen/countersign/v1/users_pb.ts";
import { targetOptions } from "../calling/target.ts";
import { type Api, withApi } from "../calling/with-api.ts";
import {
  type Command,
  type CommandInput,
  hasOption,
  jsonOption,
  stringOption,
  UsageError,
} from "../command.ts";
import { isOutputClosed, printError, printJson } from "../output.ts";
import { readPages } from "../pages.ts";
import { presentTime } from "../present-time.ts";
import { createTable } from "../table.ts";

const pageSize = 500;

/** `countersign user list`. */
export const userList: Command = {
  name: "user list",
  operands: [],
  summary: "list the users, or search them; by name",
  details: [
    "By name, then who has an address alone; with a filter, in the order of what it compares,",
    "or the newest first. A filter is comparisons joined by AND; a star at the end of a value stands for any",
    "ending. Whatever is compared by its order must be what the list is ordered by.",
    "",
    "  countersign user list --filter 'username = \"al*\"'",
    "  countersign user list --status suspended --order-by 'last_login_at desc'",
  ],
  options: {
    filter: { value: "FILTER", help: 'such as: email = "al*", created_at >= "2026-01-01T00:00:00Z"' },
    status: { value: "STATUS", help: "active, pending, suspended or deactivated" },
    role: { value: "ROLE", help: "who have this role" },
    "order-by": { value: "FIELD", help: "created_at, username, email or last_login_at, also with desc" },
    limit: { value: "COUNT", help: "at most so many" },
    ...jsonOption,
    ...targetOptions,
  },
  async run(input) {
    const limit = readLimit(input);
    const table = createTable(["NAME", "STATUS", "ROLES", "LAST LOGIN"]);
    let count = 0;
    return withApi(input, async (api) => {
      const [filter, orderBy] = [filterOf(input), stringOption(input, "order-by")];
      const isByName = input.options["filter"] === undefined && orderBy === undefined;
      const users = isByName ? listByName(api, filter, limit) : listUsers(api, filter, orderBy, limit);
      for await (const user of users) {
        if (isOutputClosed() || count >= limit) break;
        count += 1;
        if (hasOption(input, "json")) printJson(api.toJson(user));
        else table.add(toCells(api, user));
      }
      if (count === 0) printError("There are no such users.");
      else if (!hasOption(input, "json")) table.end();
      return 0;
    });
  },
};

/** All users that a filter selects. @param limit how many are wanted at most */
export function listUsers(
  api: Api,
  filter: string,
  orderBy = "",
  limit: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<ManagedUser> {
  return readPages(async (pageToken) => {
    const size = Math.max(1, Math.min(pageSize, limit));
    const { users, nextPageToken } = await api.users.listUsers({
      filter,
      orderBy,
      pageToken,
      pageSize: size,
    });
    return { items: users, nextPageToken };
  });
}

/** The service orders by name only those who have one. */
async function* listByName(api: Api, filter: string, limit: number): AsyncGenerator<ManagedUser> {
  yield* listUsers(api, filter, "username", limit);
  for await (const user of listUsers(api, filter, "email", limit)) {
    if (user.username === undefined) yield user;
  }
}

/** A comparison of a filter. */
export function compare(field: string, operator: "=" | ":", value: string): string {
  return `${field} ${operator} "${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

function filterOf(input: CommandInput): string {
  const [filter, status, role] = ["filter", "status", "role"].map((name) => stringOption(input, name) ?? "");
  return [filter ?? "", status ? compare("status", "=", status) : "", role ? compare("roles", ":", role) : ""]
    .filter((part) => part !== "")
    .join(" AND ");
}

function readLimit(input: CommandInput): number {
  const text = stringOption(input, "limit");
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError("The limit must be a number above 0.");
}

function toCells(api: Api, user: ManagedUser): string[] {
  const { last_login_at: lastLogin } = api.toJson(user);
  return [
    user.username ?? user.email ?? user.id,
    user.status,
    user.roles.join(",") || "-",
    presentTime(typeof lastLogin === "string" ? lastLogin : null, "never"),
  ];
}
