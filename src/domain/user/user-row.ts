import type { User, UserId, UserStatus } from "./user.ts";

/** A user's public columns as `userColumns` selects them. */
export interface UserRow {
  readonly id: UserId;
  readonly username: string | null;
  readonly email: string | null;
  readonly status: UserStatus;
  readonly roles: string[];
  readonly displayName: string | null;
  readonly locale: string | null;
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
  readonly lastLoginAt: Date | null;
}

/** The columns of a `UserRow`, for a select or a returning clause. @param table its name or alias */
export function userColumns(table: string): string {
  return `${table}.id, ${table}.username, ${table}.email, ${table}.status, ${table}.roles,
    ${table}.display_name as "displayName", ${table}.locale, ${table}.claims,
    ${table}.must_change_password as "mustChangePassword",
    ${table}.created_at as "createdAt", ${table}.last_login_at as "lastLoginAt"`;
}

/** The public columns alone, whatever else the row holds. */
export function userFromRow(row: UserRow): User {
  const { id, username, email, status, roles, displayName, locale, claims, mustChangePassword } = row;
  const { createdAt, lastLoginAt } = row;
  return {
    id,
    username,
    email,
    status,
    roles,
    displayName,
    locale,
    claims,
    mustChangePassword,
    createdAt,
    lastLoginAt,
  };
}
