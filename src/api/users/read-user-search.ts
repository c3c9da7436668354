import { isRoleName } from "../../domain/role/role.ts";
import type { UserOrder, UserSearch } from "../../domain/user/user-search.ts";
import { isUserStatus } from "../../domain/user/user.ts";
import { foldName } from "../../lib/fold.ts";
import { readSearch } from "../reading/search.ts";

/** Reads which users ListUsers is asked for. @throws AppError validation_failed */
export function readUserSearch(request: { readonly filter: string; readonly orderBy: string }): UserSearch {
  let [status, role]: [UserSearch["status"], UserSearch["role"]] = [null, null];
  const ordered = readSearch<UserOrder>(request, {
    orders: { created_at: null, username: foldName, email: foldName, last_login_at: null },
    usual: { order: "created_at", descending: true },
    take({ field, operator, value }) {
      if (field === "status" && operator === "=" && isUserStatus(value)) status = value;
      else if (field === "roles" && operator === ":" && isRoleName(value)) role = value;
      else return false;
      return true;
    },
  });
  return { ...ordered, status, role };
}
