import type { User, UserId, UserStatus } from "./user.ts";

/** A user's public columns as `userColumns` selects them. */
export interface UserRow {
  readonly id: UserId;
  readonly username: string;
  readonly email: string | null;
  readonly status: UserStatus;
  readonly roles: string[];
  readonly createdAt: Date;
  readonly lastLoginAt: Date | null;
}

/** The columns of a `UserRow`, for a select or a returning clause. @param table its name or alias */
export function userColumns(table: string): string {
  return `${table}.id, ${table}.username, ${table}.email, ${table}.status, ${table}.roles,
    ${table}.created_at as "createdAt", ${table}.last_login_at as "lastLoginAt"`;
}

/** The public columns alone, whatever else the row holds. */
export function userFromRow(row: UserRow): User {
  const { id, username, email, status, roles, createdAt, lastLoginAt } = row;
  return { id, username, email, status, roles, createdAt, lastLoginAt };
}
