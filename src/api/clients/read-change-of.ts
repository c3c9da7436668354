import type { ClientChangeOf } from "../../domain/client/manage-clients.ts";
import type { Call } from "../call.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

/** Which client a request changes, in which state, and who asks for it. */
export function readChangeOf(
  { clientId, etag }: { readonly clientId: string; readonly etag: string },
  call: Call,
): ClientChangeOf {
  return { id: clientId, etag, changer: requireAdministrator(call) };
}
