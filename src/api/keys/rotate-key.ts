import type { SigningKeyAdmin } from "../../domain/key/signing-keys.ts";
import type { KeyService } from "../../gen/countersign/v1/keys_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";
import { presentKey } from "./present-key.ts";

/** KeyService.RotateKey: POST /admin/keys:rotate. */
export function rotateKeyRpc(
  keys: Pick<SigningKeyAdmin, "rotate">,
): Handler<typeof KeyService.method.rotateKey> {
  return async (_request, call) => {
    const { made, key } = await keys.rotate(requireAdministrator(call).by);
    return { made, key: presentKey(key) };
  };
}
