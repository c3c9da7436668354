/**
 * What can be permitted to those who administer, each named by an RPC of the contract or asked for by a use case. The
 * names are public and stable.
 */
export const permissions = [
  "users.read",
  "users.create",
  "users.import",
  "users.update",
  "users.set_roles",
  "users.set_password",
  "users.require_password_change",
  "users.suspend",
  "users.deactivate",
  "users.delete",
  "sessions.read",
  "sessions.end",
  "devices.forget",
  "roles.read",
  "roles.write",
  "keys.read",
  "keys.write",
  "clients.read",
  "clients.write",
  "audit.read",
] as const;

/** One of Countersign's own permissions. */
export type Permission = (typeof permissions)[number];

/** Countersign's own permissions that somebody holds, or that something gives. */
export type PermissionSet = ReadonlySet<Permission>;

/** Nothing is permitted. */
export const noPermissions: PermissionSet = new Set();

/** Whether a text names one of Countersign's own permissions. */
export function isPermission(text: string): text is Permission {
  return (permissions as readonly string[]).includes(text);
}

/** Whether all of one set are in the other. */
export function holdsAll(held: PermissionSet, wanted: PermissionSet): boolean {
  return [...wanted].every((each) => held.has(each));
}
