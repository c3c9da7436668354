import type { Principal } from "../../domain/token/authenticate-bearer.ts";
import type { Call } from "../call.ts";

/** The authenticated caller. Throws if the RPC's access option lets anyone call it. */
export function requirePrincipal({ principal }: Call): Principal {
  if (principal === null) throw new Error("an RPC that is open to anyone has no principal");
  return principal;
}
