import type { SigningKeyAdmin } from "../../domain/key/signing-keys.ts";
import type { KeyService } from "../../gen/countersign/v1/keys_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

/** KeyService.ResealKeys: POST /admin/keys:reseal. */
export function resealKeysRpc(
  keys: Pick<SigningKeyAdmin, "reseal">,
): Handler<typeof KeyService.method.resealKeys> {
  return async (_request, call) => {
    const { resealedKids, unopenableKids } = await keys.reseal(requireAdministrator(call).by);
    return { resealedKids: [...resealedKids], unopenableKids: [...unopenableKids] };
  };
}
