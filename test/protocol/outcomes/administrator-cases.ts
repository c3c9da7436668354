import * as given from "../../_harness/given.ts";
import { bearerOf } from "../../_harness/rest.ts";
import type { OutcomeCase, PreparedCall } from "./outcome-case.ts";
import { tokenCases } from "./shared-cases.ts";
import type { World } from "./world.ts";

interface SignedIn {
  readonly headers: { readonly authorization: string };
  readonly userId: string;
}

const admins = new WeakMap<World, Promise<SignedIn>>();
const strangers = new WeakMap<World, Promise<SignedIn>>();

/** The token of the world's admin, who signs in once, and the admin's id. */
export function signInAdmin(world: World): Promise<SignedIn> {
  return signInOnce(admins, world, ["admin"]);
}

function signInOnce(
  known: WeakMap<World, Promise<SignedIn>>,
  world: World,
  roles: string[],
): Promise<SignedIn> {
  const found = known.get(world) ?? signIn(world, roles);
  known.set(world, found);
  return found;
}

async function signIn(world: World, roles: string[]): Promise<SignedIn> {
  const user = await given.user(world.service, { roles });
  const { access_token } = await given.session(world.service, { user });
  return { headers: bearerOf(access_token), userId: user.id };
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
      prepare: async (world) => ({ input, headers: (await signInOnce(strangers, world, [])).headers }),
    },
    ...tokenCases(input),
  ];
}
