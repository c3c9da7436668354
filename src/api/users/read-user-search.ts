import { isRoleName } from "../../domain/role/role.ts";
import { isUserStatus } from "../../domain/user/user.ts";
import { type UserOrder, userOrders, type UserSearch } from "../../domain/user/user-search.ts";
import { invalidFields } from "../../errors/invalid.ts";
import { foldName } from "../../lib/fold.ts";
import { type Comparison, readFilter, wrongFilter } from "../reading/filter.ts";
import { isOnCalendar } from "../reading/stored-time.ts";

type Bounds = Pick<UserSearch, "from" | "to">;

const orderForm = /^([a-z_]+)(?: (asc|desc))?$/;
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;
// Beyond every sign of a name, in the order of their bytes.
const lastSign = "\u{10FFFF}";

/**
 * Reads which users ListUsers is asked for.
 *
 * @throws AppError validation_failed for what no index serves: what is compared by its order has to be in that order
 */
export function readUserSearch(request: { readonly filter: string; readonly orderBy: string }): UserSearch {
  const comparisons = readFilter(request.filter);
  const bounds = new Map<UserOrder, Bounds>();
  let [status, role]: [UserSearch["status"], UserSearch["role"]] = [null, null];
  for (const comparison of comparisons) {
    const { field, operator, value } = comparison;
    if (field === "status" && operator === "=" && isUserStatus(value)) status = value;
    else if (field === "roles" && operator === ":" && isRoleName(value)) role = value;
    else if (isOrder(field)) bounds.set(field, { ...none, ...bounds.get(field), ...readBounds(comparison) });
    else throw wrongFilter("compares a field in a way, or with a value, that is not served");
  }
  const [first, ...others] = bounds.keys();
  const { order, descending } = readOrder(request.orderBy, first);
  if (others.length > 0 || (first !== undefined && first !== order)) {
    throw wrongFilter(
      "must compare names, addresses or times of one field alone, which the list is ordered by",
    );
  }
  return { order, descending, status, role, ...(bounds.get(order) ?? none) };
}

const none: Bounds = { from: null, to: null };

function isOrder(field: string): field is UserOrder {
  return (userOrders as readonly string[]).includes(field);
}

function readBounds({ field, operator, value }: Comparison): Partial<Bounds> {
  const isTime = field === "created_at" || field === "last_login_at";
  // The store has no year 0.
  if (isTime && timeForm.test(value) && !value.startsWith("0000") && isOnCalendar(value)) {
    if (operator === ">=") return { from: value };
    if (operator === "<") return { to: value };
  }
  if (!isTime && operator === "=") {
    if (!value.endsWith("*")) return { from: foldName(value), to: foldName(value) };
    const prefix = foldName(value.slice(0, -1));
    return { from: prefix, to: prefix + lastSign };
  }
  throw wrongFilter(
    isTime ? "compares a time with >= or <, and with a time in UTC" : "compares a name or an address with =",
  );
}

function readOrder(text: string, compared: UserOrder | undefined): Pick<UserSearch, "order" | "descending"> {
  if (text === "") {
    return {
      order: compared ?? "created_at",
      descending: compared === undefined || compared.endsWith("_at"),
    };
  }
  const [, order = "", direction] = orderForm.exec(text) ?? [];
  if (isOrder(order)) return { order, descending: direction === "desc" };
  const detail = `must be ${userOrders.join(", ")}, with or without desc`;
  throw invalidFields([{ field: "order_by", code: "bad_form", detail }]);
}
