import { searchAnew } from "../../postgres/plan-anew.ts";
import type { Database, Statement } from "../../postgres/pool.ts";
import type { AuditActor, AuditEventType } from "./audit-event.ts";

/** A row of the trail. */
export interface AuditRow {
  /** A number, as decimal digits. */
  readonly id: string;
  /** RFC 3339 in UTC, to the microsecond. */
  readonly occurredAt: string;
  readonly type: AuditEventType;
  readonly actorKind: AuditActor["kind"];
  readonly actorId: string | null;
  readonly userId: string | null;
  readonly nameHmac: string | null;
  readonly sessionId: string | null;
  readonly clientId: string | null;
  readonly keyId: string | null;
  readonly reason: string | null;
  readonly count: number;
  readonly requestId: string | null;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
}

/** Which rows are asked for: those that meet every condition that is set. */
export interface AuditFilter {
  readonly userId?: string | undefined;
  readonly nameHmac?: string | undefined;
  readonly types?: readonly AuditEventType[] | undefined;
  /** At this time or later; RFC 3339. */
  readonly since?: string | undefined;
  /** Before this time; RFC 3339. */
  readonly until?: string | undefined;
  /** An address, or a range of them in CIDR notation. */
  readonly clientAddress?: string | undefined;
}

/** A row's place in the order of the list. */
export type ListPosition = Pick<AuditRow, "occurredAt" | "id">;

/** A row's place in the order in which followers read. */
export interface FollowPosition {
  /** The id of the transaction that wrote it, as decimal digits. */
  readonly xact: string;
  readonly id: string;
}

/** Up to where the trail is complete, and the database's time. */
export interface Horizon {
  /** Every transaction with a lower id has ended: what it wrote is there, and nothing can be added. */
  readonly xact: string;
  /** RFC 3339 in UTC. */
  readonly now: string;
}

const columns = `id::text as id, type, actor_kind as "actorKind", actor_id as "actorId", user_id as "userId",
  name_hmac as "nameHmac", session_id as "sessionId", client_id as "clientId", key_id as "keyId", reason, count,
  request_id as "requestId", host(client_address) as "clientAddress", user_agent as "userAgent",
  to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "occurredAt"`;

// A parameter that is null asks for nothing. A plan for the parameters at hand leaves the months out that cannot match.
const filter = `($1::text is null or user_id = $1) and ($2::text is null or name_hmac = $2)
  and ($3::text[] is null or type = any ($3)) and ($4::timestamptz is null or occurred_at >= $4)
  and ($5::timestamptz is null or occurred_at < $5) and ($6::inet is null or client_address <<= $6)`;

const list: Statement = {
  name: "audit.list",
  text: `select ${columns} from audit_events where ${filter}
      and ($8::timestamptz is null or (occurred_at <= $8 and (occurred_at, id) < ($8, $9::bigint)))
    order by audit_events.occurred_at desc, audit_events.id desc limit $7`,
};

const readHorizon: Statement = {
  name: "audit.horizon",
  text: `select pg_snapshot_xmin(pg_current_snapshot())::text as xact,
    to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
};

const follow: Statement = {
  name: "audit.follow",
  text: `select ${columns}, xact::text as xact from audit_events where ${filter}
      and (xact, id) > ($8::xid8, $9::bigint) and xact < $10::xid8
    order by audit_events.xact, audit_events.id limit $7`,
};

/** The audit trail in Postgres, for those who read it. */
export interface AuditTrailStore {
  /** At most `limit` rows, the newest first, after the given one. */
  list(filter: AuditFilter, after: ListPosition | null, limit: number): Promise<AuditRow[]>;
  /** Up to where the trail is complete now. */
  horizon(): Promise<Horizon>;
  /** At most `limit` rows after a position, by transactions below the horizon, in the order of followers. */
  follow(
    filter: AuditFilter,
    after: FollowPosition,
    below: Horizon,
    limit: number,
  ): Promise<(AuditRow & FollowPosition)[]>;
}

/** @param db the pool */
export function createAuditTrailStore(db: Pick<Database, "query" | "transaction">): AuditTrailStore {
  return {
    list: (wanted, after, limit) =>
      searchAnew<AuditRow>(db, list, [
        ...filterValues(wanted),
        limit,
        after?.occurredAt ?? null,
        after?.id ?? null,
      ]),
    async horizon() {
      const [row] = await db.query<Horizon>(readHorizon);
      if (row === undefined) throw new Error("the database tells no horizon");
      return row;
    },
    follow: (wanted, after, below, limit) =>
      searchAnew<AuditRow & FollowPosition>(db, follow, [
        ...filterValues(wanted),
        limit,
        after.xact,
        after.id,
        below.xact,
      ]),
  };
}

function filterValues(wanted: AuditFilter): unknown[] {
  const { userId, nameHmac, types, since, until, clientAddress } = wanted;
  return [userId, nameHmac, types, since, until, clientAddress].map((value) => value ?? null);
}
