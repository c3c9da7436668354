import { searchAnew } from "../../postgres/plan-anew.ts";
import type { Database, Statement } from "../../postgres/pool.ts";
import type { ClientOrder, ClientPosition, ClientSearch } from "./client-search.ts";
import type { ManagedClient } from "./managed-client.ts";
import { managedClientColumns, managedClientFromRow, type ManagedClientRow } from "./managed-client-store.ts";

/** A client, and its place in the list. */
export interface FoundClient {
  readonly found: ManagedClient;
  readonly position: ClientPosition;
}

/** Searches of the clients in Postgres. */
export interface ClientSearchStore {
  /** At most `limit` clients in the order that is asked for, after the given place. */
  search(asked: ClientSearch, after: ClientPosition | null, limit: number): Promise<FoundClient[]>;
}

// By their bytes, whatever the database's collation.
const id = 'id collate "C"';

/** The statement of an order and a direction. */
function statementOf(order: ClientOrder, descending: boolean): Statement {
  const isTime = order === "created_at";
  const [key, type] = isTime ? ["created_at", "timestamptz"] : [id, "text"];
  const direction = descending ? "desc" : "asc";
  const shown = isTime ? `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : "id";
  return {
    name: `client.search-${order}-${direction}`,
    text: `select ${managedClientColumns}, ${shown} as position from clients
      where ($1::text is null or scopes @> array[$1::text])
        and ($2::${type} is null or ${key} >= $2) and ($3::${type} is null or ${key} ${isTime ? "<" : "<="} $3)
        and ($4::${type} is null or (${key}, ${id}) ${descending ? "<" : ">"} ($4, $5::text))
      order by ${key} ${direction}, ${id} ${direction} limit $6`,
  };
}

const statements: Readonly<Record<ClientOrder, { readonly up: Statement; readonly down: Statement }>> = {
  client_id: { up: statementOf("client_id", false), down: statementOf("client_id", true) },
  created_at: { up: statementOf("created_at", false), down: statementOf("created_at", true) },
};

/** @param db the pool */
export function createClientSearchStore(db: Pick<Database, "transaction">): ClientSearchStore {
  return {
    async search({ order, descending, scope, from, to }, after, limit) {
      const statement = statements[order][descending ? "down" : "up"];
      const values = [scope, from, to, after?.[0] ?? null, after?.[1] ?? null, limit];
      const rows = await searchAnew<ManagedClientRow & { readonly position: string }>(db, statement, values);
      return rows.map(({ position, ...row }) => ({
        found: managedClientFromRow(row),
        position: [position, row.id],
      }));
    },
  };
}
