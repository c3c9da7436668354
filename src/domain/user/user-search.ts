import type { UserStatus } from "./user.ts";

/** What users can be listed by. By each but the first, only those who have it are listed. */
export type UserOrder = "created_at" | "username" | "email" | "last_login_at";

/** Which users are asked for: those that meet every condition that is set. */
export interface UserSearch {
  readonly order: UserOrder;
  readonly descending: boolean;
  readonly status: UserStatus | null;
  readonly role: string | null;
  /**
   * Bounds of what the order is by, the lower and the upper; null for none. Of names and addresses both belong to it,
   * of times the lower does.
   */
  readonly from: string | null;
  readonly to: string | null;
}

/** A user's place in a list: what the order is by, and the id. */
export type UserPosition = readonly [key: string, id: string];
