import { invalidFields } from "../../errors/invalid.ts";
import { type Comparison, readFilter, wrongFilter } from "./filter.ts";
import { isOnCalendar } from "./stored-time.ts";

/** What the items of a list can be ordered by, and what else they can be compared by. */
export interface SearchTerms<Order extends string> {
  /** What the texts of an order are compared as; null for an order by time. */
  readonly orders: Readonly<Record<Order, ((text: string) => string) | null>>;
  /** The order of a list for which nothing is asked. */
  readonly usual: { readonly order: Order; readonly descending: boolean };
  /** Takes a comparison of another field; false for one that is not served. */
  readonly take: (comparison: Comparison) => boolean;
}

/** The order of a list, and bounds of what it is by; null for none. Of texts both belong to it, of times the lower does. */
export interface OrderedSearch<Order extends string> {
  readonly order: Order;
  readonly descending: boolean;
  readonly from: string | null;
  readonly to: string | null;
}

type Bounds = Pick<OrderedSearch<string>, "from" | "to">;

const orderForm = /^([a-z_]+)(?: (asc|desc))?$/;
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;
// Beyond every sign of a name, in the order of their bytes.
const lastSign = "\u{10FFFF}";
const none: Bounds = { from: null, to: null };

/**
 * Reads the `filter` and the `order_by` of a list RPC.
 *
 * @throws AppError validation_failed for what no index serves: what is compared by its order has to be in that order
 */
export function readSearch<Order extends string>(
  request: { readonly filter: string; readonly orderBy: string },
  terms: SearchTerms<Order>,
): OrderedSearch<Order> {
  const { orders } = terms;
  const isOrder = (field: string): field is Order => Object.hasOwn(orders, field);
  const bounds = new Map<Order, Bounds>();
  for (const comparison of readFilter(request.filter)) {
    const { field } = comparison;
    if (isOrder(field)) {
      bounds.set(field, { ...none, ...bounds.get(field), ...readBounds(comparison, orders[field]) });
    } else if (!terms.take(comparison)) {
      throw wrongFilter("compares a field in a way, or with a value, that is not served");
    }
  }
  const [first, ...others] = bounds.keys();
  const [, asked = "", direction] = orderForm.exec(request.orderBy) ?? [];
  if (request.orderBy !== "" && !isOrder(asked)) {
    const detail = `must be ${Object.keys(orders).join(", ")}, with or without desc`;
    throw invalidFields([{ field: "order_by", code: "bad_form", detail }]);
  }
  const order = isOrder(asked) ? asked : (first ?? terms.usual.order);
  if (others.length > 0 || (first !== undefined && first !== order)) {
    throw wrongFilter(
      "must compare names, addresses or times of one field alone, which the list is ordered by",
    );
  }
  const usually = order === terms.usual.order ? terms.usual.descending : orders[order] === null;
  const descending = isOrder(asked) ? direction === "desc" : usually;
  return { order, descending, ...(bounds.get(order) ?? none) };
}

function readBounds(
  { operator, value }: Comparison,
  textAs: ((text: string) => string) | null,
): Partial<Bounds> {
  if (textAs === null) {
    // The store has no year 0.
    if (timeForm.test(value) && !value.startsWith("0000") && isOnCalendar(value)) {
      if (operator === ">=") return { from: value };
      if (operator === "<") return { to: value };
    }
    throw wrongFilter("compares a time with >= or <, and with a time in UTC");
  }
  if (operator !== "=") throw wrongFilter("compares a name or an address with =");
  if (!value.endsWith("*")) return { from: textAs(value), to: textAs(value) };
  const prefix = textAs(value.slice(0, -1));
  return { from: prefix, to: prefix + lastSign };
}
