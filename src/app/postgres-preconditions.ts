import type { Queryable, Statement } from "../postgres/pool.ts";

/** Something that the service needs of its database and does not find. */
export interface Shortfall {
  /** required: it would not serve. advised: it serves, and something is not done. */
  readonly weight: "required" | "advised";
  /** What it is about, in a word or two. */
  readonly subject: "database" | "schema" | "rights";
  /** One sentence, without its first capital and its full stop. */
  readonly found: string;
  readonly mend: string;
}

interface ServerRow {
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  readonly schema: string | null;
  readonly tablesSchema: string | null;
  readonly mayCreate: boolean | null;
  readonly role: string;
}

const describeServer: Statement = {
  name: "precondition.server",
  text: `select current_setting('server_version') as version,
    current_setting('server_version_num')::int as "versionNumber",
    current_setting('server_encoding') as encoding,
    current_schema() as schema,
    (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.oid = to_regclass('schema_migrations')) as "tablesSchema",
    has_schema_privilege(current_schema(), 'create') as "mayCreate",
    current_user as role`,
};

// Whoever keeps the trail out of the service's reach grants it no more than this.
const narrowRights: Readonly<Record<string, readonly string[]>> = {
  schema_migrations: ["select"],
  audit_events: ["select", "insert"],
};
const allRights = ["select", "insert", "update", "delete"];

/** Every table of ours that is there, but for the months of the trail, which are reached through it. */
const listRights: Statement = {
  name: "precondition.rights",
  text: `select c.relname as name, pg_has_role(c.relowner, 'usage') as owned, array(
      select p from unnest($1::text[]) as p where not has_table_privilege(c.oid, p)
    ) as missing
    from pg_class c join pg_class m on m.oid = to_regclass('schema_migrations')
    where c.relnamespace = m.relnamespace and c.relowner = m.relowner and c.relkind in ('r', 'p')
      and not c.relispartition
    order by c.relname`,
};
interface RightsRow {
  readonly name: string;
  readonly owned: boolean;
  readonly missing: readonly string[];
}

const oldestVersion = 150_000;

/**
 * What the service needs of its database, and does not find: the one list that a start and the doctor ask.
 *
 * @param pending the migrations that the database still lacks
 * @throws AppError `unavailable`
 */
export async function findShortfalls(db: Queryable, pending: readonly string[]): Promise<Shortfall[]> {
  const [server] = await db.query<ServerRow>(describeServer);
  if (server === undefined) throw new Error("the server describes itself with no row");
  const shortfalls = [versionOf(server), encodingOf(server), schemaOf(server), creationOf(server, pending)];
  const rights = await db.query<RightsRow>(listRights, [allRights]);
  return [...shortfalls, grantsOf(server, rights), ownershipOf(rights)].filter((each) => each !== null);
}

function versionOf({ version, versionNumber }: ServerRow): Shortfall | null {
  if (versionNumber >= oldestVersion) return null;
  return required("database", `it is PostgreSQL ${version}`, "upgrade it to version 15 or newer");
}

function encodingOf({ encoding }: ServerRow): Shortfall | null {
  if (encoding === "UTF8") return null;
  const mend = "create the database anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0";
  return required("database", `its encoding is ${encoding}, which cannot hold every name`, mend);
}

/** Tables that are made in another schema than the old ones would be a second, empty service. */
function schemaOf({ schema, tablesSchema }: ServerRow): Shortfall | null {
  if (schema === null) {
    const mend = "create the schema that search_path names, or grant USAGE on it to the role";
    return required("schema", "search_path names no schema that is there for the role", mend);
  }
  if (tablesSchema === null || tablesSchema === schema) return null;
  const mend = `put ${tablesSchema} first: ALTER ROLE … IN DATABASE … SET search_path = ${tablesSchema}`;
  return required("schema", `its tables are in ${tablesSchema}, but search_path begins with ${schema}`, mend);
}

function creationOf({ mayCreate, schema, role }: ServerRow, pending: readonly string[]): Shortfall | null {
  if (pending.length === 0 || schema === null || mayCreate === true) return null;
  const count = `${pending.length} ${pending.length === 1 ? "migration is" : "migrations are"} pending`;
  const mend = `GRANT CREATE ON SCHEMA ${schema} TO ${role}, or run \`countersign migrate\` with a role that has it`;
  return required("schema", `${count}, and the role may not create tables`, mend);
}

function grantsOf({ role, tablesSchema }: ServerRow, rights: readonly RightsRow[]): Shortfall | null {
  const lacking = rights.flatMap(({ name, missing }) => {
    const needed = missing.filter((right) => (narrowRights[name] ?? allRights).includes(right));
    return needed.length === 0 ? [] : [`${needed.join(", ")} on ${name}`];
  });
  if (lacking.length === 0) return null;
  const tables = `ALL TABLES IN SCHEMA ${tablesSchema ?? "public"}`;
  const sequences = `USAGE ON ALL SEQUENCES IN SCHEMA ${tablesSchema ?? "public"}`;
  const mend = `GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables} TO ${role}; GRANT ${sequences} TO ${role}`;
  return required("rights", `the role may not ${lacking.join("; ")}`, mend);
}

/** Only the owner of a table makes and drops its partitions. */
function ownershipOf(rights: readonly RightsRow[]): Shortfall | null {
  const trail = rights.find(({ name }) => name === "audit_events");
  if (trail === undefined || trail.owned) return null;
  const mend = "run `countersign migrate` with the role that owns the tables, once a month";
  const found = "the role does not own the audit trail: it makes and drops none of its months";
  return { weight: "advised", subject: "rights", found, mend };
}

function required(subject: Shortfall["subject"], found: string, mend: string): Shortfall {
  return { weight: "required", subject, found, mend };
}
