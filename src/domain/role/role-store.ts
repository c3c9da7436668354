import { isUniqueViolation, type LookUps, type Queryable } from "../../postgres/pool.ts";
import { AppError } from "../../errors/app-error.ts";
import { etagOf } from "../../lib/etag.ts";
import { scopeOfRole } from "./administrative-scope.ts";
import type { Role, RoleContent } from "./role.ts";

/** A role as it is stored. */
export interface StoredRole extends RoleContent {
  readonly name: string;
  readonly createdAt: Date;
}

const columns = `name, description, permissions, scopes, created_at as "createdAt"`;
const find = { name: "role.find", text: `select ${columns} from roles where name = any ($1)` };
const lock = { name: "role.lock", text: `select ${columns} from roles where name = $1 for update` };
// Whoever deletes one of these waits until their holder is written.
const hold = {
  name: "role.hold",
  text: `select ${columns} from roles where name = any ($1) order by name for key share`,
};
const list = {
  name: "role.list",
  text: `select ${columns} from roles where name > $1 order by name limit $2`,
};
const insert = {
  name: "role.insert",
  text: `insert into roles (name, description, permissions, scopes) values ($1, $2, $3, $4) returning ${columns}`,
};
const update = {
  name: "role.update",
  text: `update roles set description = $2, permissions = $3, scopes = $4 where name = $1 returning ${columns}`,
};
const remove = { name: "role.delete", text: "delete from roles where name = $1" };
const held = {
  name: "role.held",
  text: `select 1 where exists (select from users where roles @> array[$1::text])
    or exists (select from clients where scopes @> array[$2::text])`,
};

const holders = {
  name: "role.holders-of-scope",
  text: `select scope as key, array_agg(name) as names from roles, unnest(scopes) scope
    where scopes && $1::text[] and scope = any($1::text[]) group by scope`,
};

/** The operator's own roles in Postgres. What belongs to a change takes the transaction of its use case first. */
export interface RoleStore {
  /** Those of these names that there are. */
  find(names: readonly string[], tx?: Queryable): Promise<StoredRole[]>;
  /** The same, and keeps them from being deleted until the transaction ends. */
  hold(tx: Queryable, names: readonly string[]): Promise<StoredRole[]>;
  /** A role, which nobody else changes or gives until the transaction ends. */
  lock(tx: Queryable, name: string): Promise<StoredRole | null>;
  /** At most `limit` roles by name, after the given one. */
  list(after: string, limit: number): Promise<StoredRole[]>;
  /** @throws AppError already_exists */
  insert(tx: Queryable, name: string, content: RoleContent): Promise<StoredRole>;
  update(tx: Queryable, name: string, content: RoleContent): Promise<StoredRole>;
  delete(tx: Queryable, name: string): Promise<void>;
  /** The names of the roles that have a scope; null where none has. */
  findByScope(scope: string): Promise<readonly string[] | null>;
  /** Whether a user has the role, or a client by its scope. */
  isHeld(tx: Queryable, name: string): Promise<boolean>;
}

/** @param db the pool, for what is asked outside of a transaction */
export function createRoleStore(db: Queryable & LookUps): RoleStore {
  const one = ([row]: StoredRole[]): StoredRole => {
    if (row === undefined) throw new Error("the statement returned no role");
    return row;
  };
  const values = (name: string, { description, permissions, scopes }: RoleContent) => [
    name,
    description,
    permissions,
    scopes,
  ];
  return {
    find: async (names, tx = db) => (names.length === 0 ? [] : tx.query<StoredRole>(find, [names])),
    hold: async (tx, names) => (names.length === 0 ? [] : tx.query<StoredRole>(hold, [names])),
    lock: async (tx, name) => (await tx.query<StoredRole>(lock, [name]))[0] ?? null,
    list: (after, limit) => db.query<StoredRole>(list, [after, limit]),
    async insert(tx, name, content) {
      try {
        return one(await tx.query<StoredRole>(insert, values(name, content)));
      } catch (error) {
        if (!isUniqueViolation(error, "roles_pkey")) throw error;
        throw new AppError("already_exists", "A role with this name exists already.");
      }
    },
    update: async (tx, name, content) => one(await tx.query<StoredRole>(update, values(name, content))),
    async delete(tx, name) {
      await tx.query(remove, [name]);
    },
    findByScope: async (scope) => (await db.lookUp<{ names: string[] }>(holders, scope))?.names ?? null,
    isHeld: async (tx, name) => (await tx.query(held, [name, scopeOfRole(name)])).length > 0,
  };
}

/** A role of the operator's own. */
export function roleFromRow({ name, description, permissions, scopes, createdAt }: StoredRole): Role {
  const content = { description, permissions, scopes };
  // With the time of its creation: a role that was made anew is another.
  return { name, ...content, builtIn: false, createdAt, etag: etagOf([name, content, createdAt]) };
}
