import type { OutcomeCase, PreparedCall } from "./outcome-case.ts";
import { tokenCases } from "./shared-cases.ts";
import type { SignedIn, World } from "./world.ts";

/** The token of the world's admin, who signs in once, and the admin's id. */
export function signInAdmin(world: World): Promise<SignedIn> {
  return world.signInOnce(["admin"]);
}

/** A call by the world's admin. @param make makes its request */
export function byAdmin(
  make: (world: World) => PreparedCall["input"] | Promise<NonNullable<PreparedCall["input"]>>,
): OutcomeCase["prepare"] {
  return async (world) => {
    const { headers } = await signInAdmin(world);
    return { headers, input: (await make(world)) ?? {} };
  };
}

/** Of an RPC that needs a permission. @param input what it would be called with otherwise */
export function administratorCases(input: PreparedCall["input"] = {}): readonly OutcomeCase[] {
  return [
    {
      outcome: "permission_denied",
      what: "a user without a role",
      prepare: async (world) => ({ input, headers: (await world.signInOnce([])).headers }),
    },
    ...tokenCases(input),
  ];
}
