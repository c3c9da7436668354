import type { Queryable } from "../../../postgres/pool.ts";
import type { Changer } from "../../role/administrator.ts";
import type { Permission, PermissionSet } from "../../role/permissions.ts";
import { findRefusal, type Standing } from "../../role/refusal.ts";
import type { Roles } from "../../role/roles.ts";
import type { ChangeManagedUser } from "../change-managed-user.ts";
import type { ImportCounts, ImportLine, ImportOptions, ImportUsers } from "./import-users.ts";
import type { RecordProblem } from "./user-record.ts";

/**
 * Brings users in for somebody who administers: who may create users, and gives no role that permits what they lack. Their
 * standing is read anew for each batch.
 *
 * @throws AppError permission_denied, unavailable; the batches before it are kept
 */
export type ImportAs = (
  lines: AsyncIterable<ImportLine>,
  changer: Changer,
  options: Pick<ImportOptions, "isDryRun" | "onRefused">,
) => Promise<ImportCounts>;

const permission: Permission = "users.import";

/** Builds it. */
export function createImportAs(deps: {
  readonly importUsers: ImportUsers;
  readonly readStanding: ChangeManagedUser["readStanding"];
  readonly roles: Pick<Roles, "permissionsByName">;
}): ImportAs {
  const { importUsers, readStanding, roles } = deps;
  return (lines, { standing, by }, options) =>
    importUsers(lines, {
      ...options,
      by,
      onProgress: () => undefined,
      async judge(tx: Queryable, users) {
        const actor = await readStanding(tx, standing, permission);
        const names = new Set([...users.values()].flatMap((user) => user.roles));
        const known = await roles.permissionsByName(tx, [...names]);
        const problems = new Map<number, RecordProblem>();
        for (const [line, user] of users) {
          const problem = judgeRoles(actor, user.roles, known);
          if (problem !== null) problems.set(line, problem);
        }
        return problems;
      },
    });
}

function judgeRoles(
  actor: Standing,
  names: readonly string[],
  known: ReadonlyMap<string, PermissionSet>,
): RecordProblem | null {
  if (!names.every((name) => known.has(name))) {
    return { field: "roles", code: "not_found", detail: "must name roles that there are" };
  }
  const given = new Set(names.flatMap((name) => [...(known.get(name) ?? [])]));
  const wanted = { actor, target: null, isOfAccess: true, isOfRoles: names.length > 0, given };
  if (findRefusal({ ...wanted, endsAdmin: false, hasOtherAdmin: true }) === null) return null;
  return { field: "roles", code: "not_allowed", detail: "may not be given by the caller" };
}
