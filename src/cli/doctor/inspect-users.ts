import type { Config } from "../../config/config.ts";
import { createPeppers } from "../../domain/password/peppers.ts";
import { parseHashFormat } from "../../domain/password/stored-formats.ts";
import { createUserStore, type HashFormCount } from "../../domain/user/user-store.ts";
import { rolesMax } from "../../domain/user/names.ts";
import { failureClass } from "../../ops/failure-class.ts";
import type { Database } from "../../postgres/pool.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const name = "password hashes";
const found = { name: "doctor.find-users", text: "select to_regclass('users') is not null as found" };

/**
 * Whether every user's stored hash can be compared with a password (its form, its cost and its pepper), and whether
 * the roles of each user fit into a token.
 */
export async function inspectUsers(db: Database, config: Config): Promise<Finding[]> {
  const [table] = await db.query<{ found: boolean }>(found);
  if (table?.found !== true) return [];
  try {
    const store = createUserStore(db);
    const hashes = judge(await store.countHashForms(), config);
    return [...hashes, ...describeManyRoles(await store.countManyRoles(rolesMax))];
  } catch (error) {
    return [
      warn(
        name,
        `they could not be counted: ${failureClass(error)}`,
        "try again when the database is less busy",
      ),
    ];
  }
}

function judge(counts: readonly HashFormCount[], { passwordPeppers }: Config): Finding[] {
  const peppers = createPeppers(passwordPeppers);
  const isDamaged = ({ format }: HashFormCount) => format === null || parseHashFormat(format) === null;
  const damaged = counts.filter(isDamaged);
  const lost = counts.filter((each) => !isDamaged(each) && peppers.find(each.pepperId) === undefined);
  const [all, unreadable] = [sum(counts), sum(damaged) + sum(lost)];
  if (unreadable === 0) return [ok(name, `the hashes of all ${all} users can be read`)];
  const tell = unreadable === all ? fail : warn;
  return [...describeDamaged(sum(damaged), all, tell), ...describeLost(lost, all, tell)];
}

function describeManyRoles(count: number): Finding[] {
  if (count === 0) return [];
  const bounds = `${rolesMax.count} roles, or ${rolesMax.bytes} bytes of them`;
  const found = `${count} users have more than ${bounds}: their access tokens may contain no roles`;
  return [warn("roles", found, "give them fewer or shorter ones")];
}

function describeDamaged(count: number, all: number, tell: typeof warn): Finding[] {
  if (count === 0) return [];
  const mend = "set new passwords for them (countersign user set-password), or restore them from a backup";
  return [tell(name, `${count} of ${all} cannot be read: these users cannot sign in`, mend)];
}

function describeLost(lost: readonly HashFormCount[], all: number, tell: typeof warn): Finding[] {
  if (lost.length === 0) return [];
  const ids = [...new Set(lost.map(({ pepperId }) => pepperId))].join(", ");
  const mend = "put the pepper back into PASSWORD_PEPPER, at the end of the list if another one is used now";
  const what = `${sum(lost)} of ${all} depend on a pepper that PASSWORD_PEPPER does not hold (id ${ids})`;
  return [tell(name, `${what}: these users cannot sign in`, mend)];
}

function sum(counts: readonly HashFormCount[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}
