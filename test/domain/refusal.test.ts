import { describe, expect, test } from "@jest/globals";
import { array, assert, boolean, constantFrom, property, record, uniqueArray } from "fast-check";
import { builtinRoles } from "../../src/domain/role/builtin-roles.ts";
import { type PermissionSet, permissions } from "../../src/domain/role/permissions.ts";
import { findRefusal, findRoleRefusal, type WantedChange } from "../../src/domain/role/refusal.ts";

// Who may do what to whom.

const of = (name: string): PermissionSet =>
  new Set(builtinRoles.find((role) => role.name === name)?.permissions ?? []);
const none: PermissionSet = new Set();
const standing = (userId: string | null, role: string) => ({ userId, permissions: of(role) });

const usual: WantedChange = {
  actor: standing("a", "admin"),
  target: standing("b", ""),
  isOfAccess: true,
  isOfRoles: false,
  given: none,
  endsAdmin: false,
  hasOtherAdmin: true,
};

describe("what somebody wants to do is refused, or not", () => {
  test.each<[string, Partial<WantedChange>, ReturnType<typeof findRefusal>]>([
    ["an admin suspends a user", {}, null],
    ["an admin suspends an admin", { target: standing("b", "admin"), endsAdmin: true }, null],
    [
      "an admin suspends the last admin",
      { target: standing("b", "admin"), endsAdmin: true, hasOtherAdmin: false },
      "last_admin",
    ],
    ["an admin suspends themselves", { target: standing("a", "admin"), endsAdmin: true }, "self"],
    ["an admin changes their own address", { target: standing("a", "admin"), isOfAccess: false }, null],
    ["support suspends a user", { actor: standing("a", "support") }, null],
    [
      "support suspends an admin",
      { actor: standing("a", "support"), target: standing("b", "admin") },
      "above",
    ],
    [
      "support suspends a user_admin",
      { actor: standing("a", "support"), target: standing("b", "user_admin") },
      "above",
    ],
    ["support gives a role", { actor: standing("a", "support"), isOfRoles: true }, "no_roles"],
    [
      "a user_admin gives support",
      { actor: standing("a", "user_admin"), isOfRoles: true, given: of("support") },
      null,
    ],
    [
      "a user_admin gives admin",
      { actor: standing("a", "user_admin"), isOfRoles: true, given: of("admin") },
      "not_held",
    ],
    [
      "a user_admin creates an admin",
      { actor: standing("a", "user_admin"), target: null, isOfRoles: true, given: of("admin") },
      "not_held",
    ],
    [
      "a user_admin gives themselves a role",
      { actor: standing("a", "user_admin"), target: standing("a", "user_admin"), isOfRoles: true },
      "self",
    ],
    ["a client suspends a user", { actor: standing(null, "support") }, null],
    [
      "a client suspends an admin whom it is below",
      { actor: standing(null, "support"), target: standing("b", "admin") },
      "above",
    ],
  ])("%s", (_what, change, expected) => {
    expect(findRefusal({ ...usual, ...change })).toBe(expected);
  });
});

const anySet = uniqueArray(constantFrom(...permissions)).map((names): PermissionSet => new Set(names));
const anyStanding = record({ userId: constantFrom("a", "b", null), permissions: anySet });
const anyUser = record({ userId: constantFrom("a", "b"), permissions: anySet });

test("whatever is let through raises nobody above its actor, and ends no last admin", () => {
  assert(
    property(
      record({
        actor: anyStanding,
        target: anyUser,
        isOfAccess: boolean(),
        isOfRoles: boolean(),
        given: anySet,
        endsAdmin: boolean(),
        hasOtherAdmin: boolean(),
      }),
      (wanted) => {
        if (findRefusal(wanted) !== null) return;
        const { actor, target, given, isOfAccess } = wanted;
        for (const each of [...target.permissions, ...given]) expect(actor.permissions.has(each)).toBe(true);
        const mayDo = {
          access: !isOfAccess || target.userId !== actor.userId,
          admins: !wanted.endsAdmin || wanted.hasOtherAdmin,
          roles: !wanted.isOfRoles || actor.permissions.has("users.set_roles"),
        };
        expect(mayDo).toEqual({ access: true, admins: true, roles: true });
      },
    ),
  );
});

test("no sequence of roles written by one editor permits what the editor lacks", () => {
  assert(
    property(anySet, array(anySet), (held, written) => {
      let role: PermissionSet = none;
      for (const next of written) {
        if (findRoleRefusal({ permissions: held }, role, next) === null) role = next;
        for (const each of role) expect(held.has(each)).toBe(true);
      }
    }),
  );
});
