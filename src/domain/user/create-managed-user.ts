import { refuseFields } from "../../errors/invalid.ts";
import type { Database, Queryable } from "../../postgres/pool.ts";
import type { Audit } from "../audit/audit.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { noPassword } from "../password/password-hash.ts";
import type { Admission } from "../password/queue/admission.ts";
import type { Repeatable, Repeats } from "../repeat/repeats.ts";
import type { Changer } from "../role/administrator.ts";
import { findRefusal, refuse } from "../role/refusal.ts";
import type { Roles } from "../role/roles.ts";
import type { ChangeManagedUser, ChangeManagedUserDeps } from "./change-managed-user.ts";
import { describeRoles } from "./describe-change.ts";
import type { ManagedUser } from "./managed-user.ts";
import { hashNewPassword } from "./new-password.ts";
import { checkUserContent, type UserContent } from "./user-content.ts";
import { userIds, type UserStatus } from "./user.ts";
import { foldNames, type UserStore } from "./user-store.ts";

/** A user as an administrator asks for one. */
export interface ManagedUserDraft extends UserContent {
  /** Null for a user who cannot sign in yet. */
  readonly password: string | null;
  readonly mustChangePassword: boolean;
  readonly status: UserStatus;
}

/** What the creation of users is made of. */
export interface CreateManagedUserDeps extends ChangeManagedUserDeps {
  readonly db: Pick<Database, "transaction">;
  readonly roles: Pick<Roles, "permissionsOf" | "permissionsGiven">;
  readonly repeats: Pick<Repeats, "once">;
  readonly hasher: Pick<PasswordHasher, "hash">;
  readonly users: Pick<UserStore, "insert">;
  readonly audit: Pick<Audit, "record">;
}

/** Creates users, and nothing else. */
export interface ManagedUserCreation {
  create(
    draft: ManagedUserDraft,
    changer: Changer,
    request: Repeatable,
    admission: Admission,
  ): Promise<ManagedUser>;
}

/** Builds it. @param readStanding what a caller may do now */
export function createManagedUserCreation(
  readStanding: ChangeManagedUser["readStanding"],
  { db, store, users, roles, repeats, audit, hasher }: CreateManagedUserDeps,
): ManagedUserCreation {
  const find = async (tx: Queryable, id: string): Promise<ManagedUser | null> =>
    (await store.findByIds([id], tx))[0] ?? null;

  return {
    async create(draft, { standing, by }, request, admission) {
      refuseFields(checkUserContent(draft));
      const { password, username, email } = draft;
      const passwordHash =
        password === null ? noPassword : await hashNewPassword(hasher, password, username ?? "", admission);
      const user = { ...draft, ...foldNames(username, email), id: userIds.create(), passwordHash };
      return db.transaction(async (tx) => {
        const actor = await readStanding(tx, standing, "users.create");
        const given = await roles.permissionsGiven(tx, draft.roles);
        const isOfRoles = draft.roles.length > 0;
        const wanted = { actor, target: null, isOfAccess: true, isOfRoles, given };
        refuse(findRefusal({ ...wanted, endsAdmin: false, hasOtherAdmin: true }));
        return repeats.once(tx, request, {
          id: user.id,
          async create() {
            await users.insert(tx, user);
            const reason = isOfRoles ? describeRoles([], draft.roles).join(" ") : undefined;
            await audit.record(tx, { type: "user.created", ...by, userId: user.id, reason });
            const created = await find(tx, user.id);
            if (created === null) throw new Error("the user was created, and is not there");
            return created;
          },
          find: (earlier) => find(tx, earlier),
        });
      });
    },
  };
}
