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

/** What a sign-in needs next: `issue` for nothing more. Other things to ask for are further kinds. */
export interface Step {
  readonly kind: "issue";
}

/** Decides what a sign-in needs next, from nothing but its argument. */
export function nextStep(_attempt: Attempt): Step {
  return { kind: "issue" };
}
