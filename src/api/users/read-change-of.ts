import type { Call } from "../call.ts";
import type { ChangeOf } from "../../domain/user/manage-users.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

/** Which user a request changes, in which state, and who asks for it. */
export function readChangeOf(
  { userId, etag = "" }: { readonly userId: string; readonly etag?: string },
  call: Call,
): ChangeOf {
  return { id: userId, etag, changer: requireAdministrator(call) };
}
