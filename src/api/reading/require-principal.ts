import type { HandlerContext } from "@connectrpc/connect";
import type { Principal } from "../../domain/token/authenticate-bearer.ts";
import { principalKey } from "../call-context.ts";

/** The authenticated caller. Throws if the RPC's access option lets anyone call it. */
export function requirePrincipal(context: HandlerContext): Principal {
  const principal = context.values.get(principalKey);
  if (principal === null) throw new Error(`${context.method.name} is open to anyone and has no principal`);
  return principal;
}
