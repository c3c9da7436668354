import { searchAnew } from "../../postgres/plan-anew.ts";
import type { Database, Statement } from "../../postgres/pool.ts";
import { managedColumns, managedFromRow } from "./managed-user-store.ts";
import type { ManagedUser } from "./managed-user.ts";
import type { UserOrder, UserPosition, UserSearch } from "./user-search.ts";

interface OrderTexts {
  /** Where it stands. */
  readonly from: string;
  /** What an index orders by: this, and then the id. */
  readonly key: string;
  readonly id: string;
  readonly type: "text" | "timestamptz";
}

const ofUsers = { from: "users", id: "users.id" } as const;
const orders: Readonly<Record<UserOrder, OrderTexts>> = {
  created_at: { ...ofUsers, key: "created_at", type: "timestamptz" },
  username: { ...ofUsers, key: 'username_folded collate "C"', type: "text" },
  email: { ...ofUsers, key: 'email_folded collate "C"', type: "text" },
  last_login_at: {
    // The offset keeps it a look-up of one user after the other, in this order: planned as a join, it could read all.
    from: "last_logins l cross join lateral (select * from users where id = l.user_id offset 0) users",
    id: "l.user_id",
    key: "l.at",
    type: "timestamptz",
  },
};

/** The statement of an order and a direction. */
function statementOf(order: UserOrder, descending: boolean): Statement {
  const { from, key, id, type } = orders[order];
  const direction = descending ? "desc" : "asc";
  const isTime = type === "timestamptz";
  const shown = isTime ? `to_char(${key} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : key;
  return {
    name: `user.search-${order}-${direction}`,
    text: `select ${managedColumns}, ${shown} as position from ${from}
      where ($1::text is null or status = $1) and ($2::text is null or roles @> array[$2::text])
        and ($3::${type} is null or ${key} >= $3) and ($4::${type} is null or ${key} ${isTime ? "<" : "<="} $4)
        and ($5::${type} is null or (${key}, ${id}) ${descending ? "<" : ">"} ($5, $6::text))
        and ${key} is not null
      order by ${key} ${direction}, ${id} ${direction} limit $7`,
  };
}

const statements = new Map(
  (Object.keys(orders) as UserOrder[]).map(
    (order) => [order, { up: statementOf(order, false), down: statementOf(order, true) }] as const,
  ),
);

/** A user, and its place in the list. */
export interface FoundUser {
  readonly found: ManagedUser;
  readonly position: UserPosition;
}

/** Searches of the users in Postgres. */
export interface UserSearchStore {
  /** At most `limit` users in the order that is asked for, after the given place. */
  search(asked: UserSearch, after: UserPosition | null, limit: number): Promise<FoundUser[]>;
}

type Row = Parameters<typeof managedFromRow>[0] & { readonly position: string };

/** @param db the pool */
export function createUserSearchStore(db: Pick<Database, "transaction">): UserSearchStore {
  return {
    async search({ order, descending, status, role, from, to }, after, limit) {
      const both = statements.get(order);
      const statement = descending ? both?.down : both?.up;
      if (statement === undefined) throw new Error(`there is no order ${order}`);
      const values = [status, role, from, to, after?.[0] ?? null, after?.[1] ?? null, limit];
      const rows = await searchAnew<Row>(db, statement, values);
      return rows.map((row) => ({ found: managedFromRow(row), position: [row.position, row.id] }));
    },
  };
}
