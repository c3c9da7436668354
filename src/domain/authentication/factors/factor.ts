import type { AuthMethod } from "../../session/session.ts";
import type { LoginUser } from "../../user/users.ts";

/** A way to prove who one is. `Shown` is what a caller shows for it. */
export interface Factor<Shown> {
  /** What the session and its access tokens call it, in `amr`. */
  readonly method: AuthMethod;
  /**
   * Checks what is shown, within the limits of this factor. A failure is in the audit trail before it is answered.
   *
   * @throws AppError, where nothing is proved
   */
  check(shown: Shown): Promise<Proof>;
}

/** What a factor has proved. */
export interface Proof {
  readonly found: LoginUser;
  /** To be called when the sign-in has succeeded: renews what is kept for the factor. Nobody waits for it. */
  renew(): void;
}
