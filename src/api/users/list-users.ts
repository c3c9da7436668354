import { create } from "@bufbuild/protobuf";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { UserPosition, UserSearch } from "../../domain/user/user-search.ts";
import { ListUsersResponseSchema, type UserService } from "../../gen/countersign/v1/users_pb.ts";
import { notOurs, presentPage, readPage } from "../reading/page-token.ts";
import { isStoredTime } from "../reading/stored-time.ts";
import { presentManagedUser } from "./present-managed-user.ts";
import { readUserSearch } from "./read-user-search.ts";
import type { Handler } from "../handler.ts";

/** UserService.ListUsers: GET /admin/users. */
export function listUsersRpc(
  users: Pick<ManageUsers, "search">,
): Handler<typeof UserService.method.listUsers> {
  return async (request) => {
    const asked = readUserSearch(request);
    const page = readPage(request, asked);
    const found = await users.search(asked, readPosition(page.after, asked), page.size + 1);
    const { items, nextPageToken } = presentPage(found, page, asked, ({ position }) => position);
    const messages = items.map((item) => presentManagedUser(item.found));
    return create(ListUsersResponseSchema, { users: messages, nextPageToken });
  };
}

function readPosition(after: readonly string[] | null, { order }: UserSearch): UserPosition | null {
  if (after === null) return null;
  const [key = "", id = ""] = after;
  const isKey = order.endsWith("_at") ? isStoredTime(key) : key !== "" && !/\p{C}/u.test(key);
  if (after.length === 2 && isKey && /^[\x21-\x7e]+$/.test(id)) return [key, id];
  throw notOurs();
}
