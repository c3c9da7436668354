import { type Permission, permissions } from "./permissions.ts";

/** The role of those who may do everything. There is always somebody who has it and can sign in. */
export const adminRole = "admin";

/** A role that is part of the service: its name and permissions are fixed. */
interface BuiltinRole {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

/** The built-in roles, by name. */
export const builtinRoles: readonly BuiltinRole[] = [
  { name: adminRole, description: "May do everything.", permissions },
  {
    name: "auditor",
    description:
      "Looks at users, roles, clients, sessions, signing keys and the audit trail, and changes nothing.",
    permissions: ["users.read", "sessions.read", "roles.read", "clients.read", "keys.read", "audit.read"],
  },
  {
    name: "support",
    description: "Looks, suspends, ends sessions and has passwords changed. Gives no roles.",
    permissions: [
      "users.read",
      "users.suspend",
      "users.require_password_change",
      "sessions.read",
      "sessions.end",
      "devices.forget",
    ],
  },
  {
    name: "user_admin",
    description: "Does everything to users and their sessions. Changes no roles.",
    permissions: permissions.filter((name) => !/^(?:clients|keys|audit)\.|^roles\.write$/.test(name)),
  },
];

/** Whether a role is built in. */
export function isBuiltinRole(name: string): boolean {
  return builtinRoles.some((role) => role.name === name);
}
