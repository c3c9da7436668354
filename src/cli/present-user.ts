import type { UserProfile } from "../domain/user/user.ts";

/** A user as the command line shows it: the names of the REST contract. */
export function presentUser(user: UserProfile): Record<string, unknown> {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    is_active: user.status === "active",
    status: user.status,
    roles: user.roles,
    created_at: user.createdAt.toISOString(),
    last_login_at: user.lastLoginAt?.toISOString() ?? null,
  };
}
