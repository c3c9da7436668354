import { AppError } from "../../errors/app-error.ts";
import type { AuthMethod } from "../session/session.ts";
import type { RecordFailedLogin } from "./failed-login.ts";
import type { Factor, Proof } from "./factors/factor.ts";
import type { ShownPassword } from "./factors/password.ts";

/** A user who may sign in, and how the user has proved who it is. */
export interface Authenticated extends Proof {
  readonly methods: readonly AuthMethod[];
}

/** Finds out who signs in. Nothing has begun when it answers. */
export type Authenticate = (shown: ShownPassword) => Promise<Authenticated>;

/** @returns a function that throws what the factor throws, and AppError account_* */
export function createAuthenticate(deps: {
  readonly password: Factor<ShownPassword>;
  readonly recordFailure: RecordFailedLogin;
}): Authenticate {
  const { password } = deps;
  return async (shown) => {
    const proof = await password.check(shown);
    await requireActive(proof, shown, deps.recordFailure);
    return { ...proof, methods: [password.method] };
  };
}

/** The status of an account is told only to somebody who has proved to be its owner. */
async function requireActive(
  { found: { user } }: Proof,
  { username, client, origin }: ShownPassword,
  recordFailure: RecordFailedLogin,
): Promise<void> {
  if (user.status === "active") return;
  const details = {
    pending: "The account has not been activated yet.",
    suspended: "The account is suspended.",
    deactivated: "The account has been deactivated.",
  } as const;
  await recordFailure({ username, client, origin, user, reason: `account_${user.status}` });
  throw new AppError(`account_${user.status}`, details[user.status]);
}
