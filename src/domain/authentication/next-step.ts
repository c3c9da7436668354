import type { Client } from "../client/client.ts";
import type { AuthMethod } from "../session/session.ts";
import type { User } from "../user/user.ts";

/** A sign-in under way: who signs in, by which client and for which scopes, and what has been proved so far. */
export interface Attempt {
  readonly user: User;
  readonly methods: readonly AuthMethod[];
  readonly client: Client;
  readonly scopes: readonly string[];
}

/**
 * What a sign-in needs next: `issue` for nothing more, `change_password` for a new password, which an administrator
 * requires. Other things to ask for are further kinds.
 */
export interface Step {
  readonly kind: "issue" | "change_password";
}

/** Decides what a sign-in needs next, from nothing but its argument. */
export function nextStep({ user }: Pick<Attempt, "user">): Step {
  return { kind: user.mustChangePassword ? "change_password" : "issue" };
}
