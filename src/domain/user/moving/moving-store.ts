import type { Queryable } from "../../../postgres/pool.ts";
import { type ProfileRow, profileColumns } from "../user-row.ts";
import type { NewUser } from "../user-store.ts";
import type { UserRecord } from "./user-record.ts";

/** A user to be written, with its times. */
export interface MovedUser extends NewUser {
  /** Null for now. */
  readonly createdAt: Date | null;
  readonly lastLoginAt: Date | null;
}

/** What stands in the way of a user: another user, or a client. */
export interface FoundOwner {
  readonly id: string;
  readonly isClient: boolean;
  readonly usernameFolded: string | null;
  readonly emailFolded: string | null;
  readonly createdAt: Date | null;
}

interface ExportRow extends ProfileRow {
  readonly passwordHash: string | null;
  readonly pepperId: string | null;
}

/** Writes many users, and reads them with all that is stored of them. */
export interface MovingStore {
  /** Adds those whose id, name and address are free; answers their ids. */
  insertFree(tx: Queryable, users: readonly MovedUser[]): Promise<ReadonlySet<string>>;
  /** Who has the ids, names and addresses of these users. */
  findOwners(tx: Queryable, users: readonly MovedUser[]): Promise<FoundOwner[]>;
  /** At most `limit` users after an id, in the order of their ids. */
  list(db: Queryable, after: string, limit: number): Promise<UserRecord[]>;
}

// In the order of the records: of two with one name the first is the one that is taken. A subject that is a client's as well would pass for it (RFC 9068 section 5).
const insertFree = {
  name: "user.insert-free",
  text: `with new as materialized (
      select * from json_to_recordset($1::json) as new (place int, id text, username text, "usernameFolded" text,
        email text, "emailFolded" text, phc text, "pepperId" text, status text, roles text[], "displayName" text,
        locale text, claims jsonb, "mustChangePassword" boolean, "createdAt" timestamptz, "lastLoginAt" timestamptz)
    ), inserted as (
      insert into users (id, username, username_folded, email, email_folded, password_hash, password_pepper_id,
        status, roles, display_name, locale, claims, must_change_password, created_at)
      select id, username, "usernameFolded", email, "emailFolded", phc, "pepperId", status, roles,
        "displayName", locale, claims, "mustChangePassword", coalesce("createdAt", now())
      from new where not exists (select from clients where clients.id = new.id) order by place
      on conflict do nothing returning id
    ), noted as (
      insert into last_logins (user_id, at)
      select id, "lastLoginAt" from new join inserted using (id) where "lastLoginAt" is not null
    )
    select id from inserted`,
};
const ownerColumns = `id, false as "isClient", username_folded as "usernameFolded", email_folded as "emailFolded",
  created_at as "createdAt"`;
const findOwners = {
  name: "user.find-owners",
  text: `select ${ownerColumns} from users where id = any($1)
    union all select ${ownerColumns} from users where username_folded = any($2)
    union all select ${ownerColumns} from users where email_folded = any($3)
    union all select id, true, null, null, null from clients where id = any($1)`,
};
const list = {
  name: "user.list-whole",
  text: `select ${profileColumns("users")}, nullif(password_hash, '') as "passwordHash", password_pepper_id as "pepperId"
    from users where id > $1 order by id limit $2`,
};

/** Builds it. It keeps nothing: what it writes to is given with each call. */
export function createMovingStore(): MovingStore {
  return {
    async insertFree(tx, users) {
      const rows = users.map(({ passwordHash, ...user }, place) => ({
        place,
        ...user,
        ...passwordHash,
      }));
      const inserted = await tx.query<{ id: string }>(insertFree, [JSON.stringify(rows)]);
      return new Set(inserted.map(({ id }) => id));
    },
    findOwners: (tx, users) =>
      tx.query<FoundOwner>(findOwners, [
        users.map(({ id }) => id),
        users.map(({ usernameFolded }) => usernameFolded).filter((name) => name !== null),
        users.map(({ emailFolded }) => emailFolded).filter((email) => email !== null),
      ]),
    list: (db, after, limit) => db.query<ExportRow>(list, [after, limit]),
  };
}
